"""`/docs`: the API as a page to read, made from its OpenAPI document; no script, nothing from elsewhere."""

import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from lamplighter_contract.clock import Clock

HOUR_MS: Final = 3_600_000

_STYLE: Final = """
:root { color-scheme: light dark; --rule: light-dark(#d9dedb, #22303c); --soft: light-dark(#4a5966, #9db0c0); }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 0.9375rem/1.5 system-ui, sans-serif;
  background: light-dark(#ffffff, #121a22); color: light-dark(#16202b, #e6edf3); }
a { color: light-dark(#0b5cab, #74b6ff); }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--rule); }
section { padding: 0.5rem 0 1rem; border-bottom: 1px solid var(--rule); }
h3 { margin: 0.5rem 0 0; font: 600 0.9375rem ui-monospace, monospace; overflow-wrap: anywhere; }
p { margin: 0.25rem 0; } .soft, td:nth-child(2) { color: var(--soft); }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid var(--rule); border-radius: 6px; font-size: 0.8125rem; }
td { padding: 0.125rem 1rem 0.125rem 0; vertical-align: top; }
"""


def install(app: FastAPI, clock: Clock, description: str) -> None:
    """Serve the page and its style, and lead those who guess to `description`, the OpenAPI document."""

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(page(app.openapi(), str(request.base_url).rstrip("/"), clock.civil_ms()))

    @app.get("/docs.css", include_in_schema=False)
    async def style() -> Response:
        return Response(_STYLE, media_type="text/css")

    @app.get("/openapi.json", include_in_schema=False)
    async def elsewhere() -> RedirectResponse:
        return RedirectResponse(description)


def page(document: dict[str, Any], base: str, civil_ms: int) -> str:
    """The whole page; `base` is where the server was reached, the examples' times are around `civil_ms`."""
    document = _timed(document, _times(civil_ms))
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(document["info"]["description"]))
    description = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    tags = "".join(_tag(document, tag, base) for tag in document["tags"])
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lamplighter API</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/docs.css"></head><body><main>
<h1>Lamplighter API</h1>{description}
<p>The same for machines: <a href="/api/v1/openapi.json">OpenAPI</a>. The examples take a token from the environment:
<code>export TOKEN=…</code></p>{tags}</main></body></html>"""


def _tag(document: dict[str, Any], tag: dict[str, str], base: str) -> str:
    sections = "".join(
        _operation(document, method, path, operation, base)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if tag["name"] in operation["tags"]
    )
    return f"<h2>{escape(tag['name'].capitalize())}</h2><p class=soft>{escape(tag['description'])}</p>{sections}"


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any], base: str) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code></td>"
        f"<td>{parameter['in']}{', needed' if parameter.get('required') else ''}</td>"
        f"<td>{escape(parameter.get('description', ''))}</td></tr>"
        for parameter in operation.get("parameters", ())
    )
    body = next(_examples(document, operation), None)
    address = base + _address(path, operation.get("parameters", ()))
    return (
        f"<section><h3>{method.upper()} {escape(path)}</h3>"
        f"<p>{escape(operation['summary'])}. <span class=soft>{escape(operation.get('description', ''))}</span></p>"
        f"{f'<table>{rows}</table>' if rows else ''}"
        f"<pre tabindex=0>{escape(_curl(method, address, body))}</pre></section>"
    )


def _examples(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[Any]:
    """Examples of the request's body: the operation's own, those of the whole, else made of its fields'."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    yield from (one["value"] for one in content.get("examples", {}).values())
    schema = content.get("schema", {})
    yield from schema.get("examples", ())
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        model = document["components"]["schemas"][name]
        yield from model.get("examples", ())
        fields = model["properties"].items()
        yield {field: _sample(known) for field, known in fields if field in model.get("required", ())}


def _address(path: str, parameters: Iterable[dict[str, Any]]) -> str:
    """The path with a sample for everything in it, and what its query needs."""
    query = {}
    for parameter in parameters:
        name, sample = parameter["name"], _sample(parameter["schema"])
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(str(sample), safe=""))
        elif parameter["in"] == "query" and parameter.get("required"):
            query[name] = sample
    return f"{path}?{urlencode(query)}" if query else path


def _sample(schema: dict[str, Any]) -> Any:
    if schema.get("examples"):
        return schema["examples"][0]
    return schema.get("default", schema.get("minimum", 1) if schema.get("type") == "integer" else "…")


def _times(civil_ms: int) -> dict[str, int]:
    """Samples of the fields that are moments, for a moment in a document would be past."""
    minute_ms = civil_ms - civil_ms % 60_000
    return {
        "start": minute_ms - HOUR_MS,
        "end": minute_ms,
        "until": minute_ms + 2 * HOUR_MS,
        "end_ms": minute_ms + 2 * HOUR_MS,
    }


def _timed(part: Any, times: dict[str, int]) -> Any:
    """The document with these samples for parameters and in examples."""
    if isinstance(part, list):
        return [_timed(item, times) for item in part]
    if not isinstance(part, dict):
        return part
    if "in" in part and part.get("name") in times:
        return part | {"schema": {"examples": [times[part["name"]]]}}
    moments = {name: times[name] for name in times if isinstance(part.get(name), int)}
    return {name: _timed(item, times) for name, item in part.items()} | moments


def _curl(method: str, address: str, body: Any) -> str:
    parts = ["curl", *([] if method == "get" else ["-X", method.upper()]), '-H "Authorization: Bearer $TOKEN"']
    if body is not None:
        parts.append(f"-H 'Content-Type: application/json' \\\n  -d '{json.dumps(body, ensure_ascii=False)}'")
    return f"{' '.join(parts)} \\\n  '{address}'"
