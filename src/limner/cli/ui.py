"""`limner ui`: the page, in the browser."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from limner.cli import output
from limner.cli.loading import uncollected
from limner.cli.options import Given, takes
from limner.errors import LimnerError

LEAST_PASSWORD = 8


@takes("method", "weights", "device", "dtype", "threads")
def ui(
    given: Given,
    host: Annotated[
        str, typer.Option(help="Address to listen at; another than this machine's own lets others in, see --password.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the address; 0 takes a free one.")] = 7860,
    password: Annotated[
        str | None,
        typer.Option(envvar="LIMNER_PASSWORD", help="Asked of everybody; any name goes with it. Needed with --host."),
    ] = None,
    max_megapixels: Annotated[float, typer.Option("--max-megapixels", help="Refuse larger photos.")] = 60.0,
    max_megabytes: Annotated[float, typer.Option("--max-megabytes", help="Refuse larger files.")] = 200.0,
    max_waiting: Annotated[int, typer.Option("--max-waiting", min=1, help="Photos that may wait at once.")] = 32,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
) -> None:
    """Open the page: drop photos, choose faces, compare, download. Also serves HTTP, described at /docs."""
    settings = given.settings()
    anywhere = not loopback(host)
    check_password(host, password, anywhere)
    with output.progress("getting the page ready") as bar, uncollected():
        bar("getting the page ready", 0, None)
        from limner.page.app import app_of, open_browser, serve
        from limner.page.restoring import Limits
        from limner.page.service import Service
        from limner.photo.read import check_limit

        check_limit(max_megapixels)
        service = Service.open(settings, Limits(max_megapixels, max_megabytes), max_waiting)
        app = app_of(service, password, anywhere)
    if anywhere:
        output.say(
            f"Warning: whoever reaches {host} and knows the password can use this limner and sees who is in your "
            "album, and on their way there photos, names and password can be read along, for nothing is encrypted: let "
            "only people in whom you trust."
        )

    def started(port: int) -> None:
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        output.say(f"limner is at {address} until you press Ctrl-C; what other programs can ask, at {address}docs.")
        if browser and not anywhere:
            open_browser(address)

    try:
        serve(app, host, port, started)
    finally:
        service.close()


def loopback(host: str) -> bool:
    """Whether an address is this machine's own, which nobody else reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_password(host: str, password: str | None, anywhere: bool) -> None:
    """
    Raises:
        LimnerError: if others could come in without one, or with one that is easily guessed.
    """
    if anywhere and not password:
        raise LimnerError(f"At {host} others can come in: give a --password, or leave out --host.")
    if password is not None and len(password) < LEAST_PASSWORD:
        raise LimnerError(f"The password is shorter than {LEAST_PASSWORD} characters: give a longer one.")
