"""The page that describes the HTTP interface, made of its OpenAPI: it needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATE = "describe.html"


def described(openapi: Mapping[str, Any]) -> str:
    """The page, HTML.

    Args:
        openapi: as FastAPI gives it.
    """
    routes = [
        {
            "path": path,
            "verb": verb.upper(),
            "what": known.get("summary", ""),
            "fields": _fields(known),
            "answers": {code: one["description"] for code, one in known["responses"].items()},
        }
        for path, verbs in openapi["paths"].items()
        for verb, known in verbs.items()
    ]
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template(TEMPLATE).render(title=openapi["info"]["title"], routes=routes)


def _fields(known: Mapping[str, Any]) -> list[dict[str, str]]:
    """The fields of a route's form: name, kind, meaning."""
    content = known.get("requestBody", {}).get("content", {})
    fields = content.get("multipart/form-data", {}).get("schema", {}).get("properties", {})
    return [{"name": name, "kind": _kind(one), "what": one["description"]} for name, one in fields.items()]


def _kind(one: Mapping[str, Any]) -> str:
    if one["type"] == "array":
        return "files"
    if one.get("format") == "binary":
        return "file"
    if "enum" in one:
        return " or ".join(one["enum"])
    limits = f", {one['minimum']} to {one['maximum']}" if "maximum" in one else ""
    return f"{one['type']}{limits}"
