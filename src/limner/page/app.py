"""One program of page and HTTP: what is served, to whom, and how it begins and ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from limner.extras import needed
from limner.page.guard import LOOPBACK, Guard
from limner.page.routes import add_routes
from limner.page.service import Service
from limner.version import __version__

with needed("gradio", "The page"):
    from fastapi import FastAPI


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

    app = FastAPI(
        title="limner over HTTP", version=__version__, docs_url=None, redoc_url=None, lifespan=closing, debug=False
    )
    app.add_middleware(Guard, password=password, hosts=None if anywhere else LOOPBACK)
    add_routes(app, service)
    return app
