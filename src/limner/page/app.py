"""One program of page and HTTP: what is served, to whom, and how it begins and ends."""

from __future__ import annotations

import os
import webbrowser
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from limner.extras import needed
from limner.page import html
from limner.page.album import Access
from limner.page.blocks import laid_out
from limner.page.events import Events
from limner.page.guard import LOOPBACK, Guard
from limner.page.people import PeopleEvents, people_laid_out
from limner.page.pictures import add_pictures
from limner.page.routes import add_routes
from limner.page.service import Service
from limner.page.session import Sessions
from limner.version import __version__

with needed("gradio", "The page"):
    import gradio as gr
    from gradio.themes import Default

with needed("fastapi", "limner over HTTP"):
    from fastapi import FastAPI

with needed("uvicorn", "limner over HTTP"):
    import uvicorn

STYLE = Path(__file__).with_name("style.css")
SANS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
MONO = ["ui-monospace", "Consolas", "monospace"]
"""Fonts of the reader's own system: none is fetched."""

STARTED = """() => {
    const mend = () => {
        for (const one of document.querySelectorAll("#status, #people-status")) {
            one.setAttribute("role", "status");
            one.setAttribute("aria-live", "polite");
        }
        for (const one of document.querySelectorAll("#versions button:has(img[alt])"))
            one.setAttribute("aria-label", one.querySelector("img").alt);
        for (const one of document.querySelectorAll("fieldset[id] input[type=radio]"))
            if (one.name !== one.closest("fieldset").id) one.name = one.closest("fieldset").id;
    };
    mend();
    new MutationObserver(mend).observe(document.body, {
        subtree: true, childList: true, attributes: true, attributeFilter: ["name"]
    });
}"""
"""Run in the browser when the page is there: screen readers say what is being done and call versions by name, and the
arrow keys go from one radio button to the next, which gradio gives no common name."""

COLOURS = {
    "button_primary_background_fill": "*primary_700",
    "button_primary_background_fill_hover": "*primary_800",
    "button_primary_background_fill_dark": "*primary_700",
    "block_info_text_color": "*neutral_600",
    "block_info_text_color_dark": "*neutral_300",
    "block_label_text_color": "*neutral_700",
    "block_label_text_color_dark": "*neutral_200",
    "block_title_text_color": "*neutral_800",
    "block_title_text_color_dark": "*neutral_100",
}
"""Where gradio's own are too pale to be read by everybody."""


def app_of(service: Service, password: str | None = None, anywhere: bool = False) -> FastAPI:
    """The program, for a server of ASGI; when that ends, the service is closed.

    Args:
        service: that does what is asked.
        password: that everybody must give; None asks for none.
        anywhere: whether it is reached by other names than this machine's own.
    """

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()

    app = FastAPI(title="limner over HTTP", version=__version__, docs_url=None, redoc_url=None, lifespan=closing)
    app.add_middleware(Guard, password=password, hosts=None if anywhere else LOOPBACK)
    sessions, access = Sessions(service), Access.of(password, anywhere)
    add_routes(app, service)
    add_pictures(app, sessions, access)
    return gr.mount_gradio_app(
        app,
        page_of(sessions, access),
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        enable_monitoring=False,
        max_file_size=int(service.limits.megabytes * 1e6),
        theme=Default(primary_hue="blue", font=SANS, font_mono=MONO).set(**COLOURS),
        css=STYLE.read_text(encoding="utf-8"),
    )


def page_of(sessions: Sessions, access: Access) -> gr.Blocks:
    """The page, alive.

    Args:
        sessions: of its windows.
        access: what those who reach it may have of the album.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(sessions.service.folder)  # what is uploaded goes when the program ends
    with gr.Blocks(title="limner", analytics_enabled=False) as blocks:
        gr.HTML(html.INTRODUCTION)
        with gr.Tabs():
            with gr.Tab("Restore"):
                page = laid_out(sessions.service.limits)
            people = people_laid_out(access)
        Events(page, sessions, access).bind()
        PeopleEvents(people, sessions, access).bind()
        blocks.load(None, None, None, js=STARTED)

        def left(request: gr.Request) -> None:
            sessions.end(request.session_hash)

        blocks.unload(left)
    blocks.queue(default_concurrency_limit=None)
    return blocks


class Server(uvicorn.Server):
    """A server that tells when it can be reached.

    Args:
        config: uvicorn's.
        started: called then with the port.
    """

    def __init__(self, config: uvicorn.Config, started: Callable[[int], None]):
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets=None) -> None:
        """Starts, and tells."""
        await super().startup(sockets)
        if self.started:
            self._tell(self.servers[0].sockets[0].getsockname()[1])


def serve(app: FastAPI, host: str, port: int, started: Callable[[int], None]) -> None:
    """Serves until it is interrupted. Nothing is logged of what is asked, for errors may name photographs.

    Args:
        app: see `app_of`.
        host, port: where; 0 is any free port.
        started: called with the port when it can be reached.
    """
    config = uvicorn.Config(app, host=host, port=port, log_level="critical", access_log=False)
    Server(config, started).run()


def open_browser(address: str) -> None:
    """Opens the page in the browser, where there is one."""
    webbrowser.open(address)
