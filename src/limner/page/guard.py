"""Who may come in, and what the browser may fetch: stands before everything that the program serves."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # gradio's page has scripts within, and makes some
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' blob: data:",
        "worker-src 'self' blob:",
        "frame-ancestors 'none'",
        "form-action 'self'",
        "base-uri 'self'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
"""Of every answer: nothing may be fetched from elsewhere, and no photograph stays in the browser's store."""


class Guard:
    """Lets nobody in without the password, nor pages of other sites, and keeps the browser from fetching elsewhere.

    Args:
        app: what is guarded.
        password: asked for as HTTP's Basic has it, with any name; None asks for none.
        hosts: names by which the machine may be called, so that no other site's name can be made to lead here; None
            takes any.
    """

    def __init__(self, app: App, password: str | None = None, hosts: tuple[str, ...] | None = LOOPBACK):
        self.app, self.password, self.hosts = app, password, hosts

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Answers in the place of the app, or lets it answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = [*message["headers"], *(one for one in added if one[0] not in given)]
            await send(message)

        host = asked.get("host", "")
        if self.hosts is not None and _name(host) not in self.hosts:
            await refuse(answered, 403, f"This limner answers to {', '.join(self.hosts[:2])} alone.")
        elif "origin" in asked and urlsplit(asked["origin"]).netloc != host:
            await refuse(answered, 403, "A page of another site can't use this limner.")
        elif self.password is not None and not self._knows(asked.get("authorization", "")):
            await refuse(answered, 401, "Give the password that limner ui was started with.")
        else:
            await self.app(scope, receive, answered)

    def _knows(self, authorization: str) -> bool:
        kind, _, words = authorization.partition(" ")
        try:
            _, _, given = base64.b64decode(words, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return False
        return kind.lower() == "basic" and secrets.compare_digest(given, (self.password or "").encode())


def _name(host: str) -> str:
    """The name in a Host header, without its port; an address of IPv6 without its brackets."""
    return (urlsplit(f"//{host}").hostname or "") if host else ""


async def refuse(send: Callable[[Message], Awaitable[None]], status: int, sentence: str) -> None:
    """Answers with a sentence."""
    headers = [(b"content-type", b"application/json")]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="limner", charset="UTF-8"'))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"error": sentence}).encode()})
