"""`/docs`: the API as a page to read, made from its OpenAPI document; no script, nothing from elsewhere."""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response

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


def install(app: FastAPI) -> None:
    """Serve the page and its style."""

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        return HTMLResponse(page(app.openapi(), str(request.base_url).rstrip("/")))

    @app.get("/docs.css", include_in_schema=False)
    async def style() -> Response:
        return Response(_STYLE, media_type="text/css")


def page(document: dict[str, Any], base: str) -> str:
    """The whole page; `base` is where the server was reached."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(document["info"]["description"]))
    description = "".join(f"<p>{part}</p>" for part in text.split("\n\n"))
    tags = "".join(_tag(document, tag, base) for tag in document["tags"])
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lamplighter API</title><link rel="stylesheet" href="/docs.css"></head><body><main>
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
    return (
        f"<section><h3>{method.upper()} {escape(path)}</h3>"
        f"<p>{escape(operation['summary'])}. <span class=soft>{escape(operation.get('description', ''))}</span></p>"
        f"{f'<table>{rows}</table>' if rows else ''}"
        f"<pre tabindex=0>{escape(_curl(method, base + path, body))}</pre></section>"
    )


def _examples(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[Any]:
    """Examples of the request's body: of the whole, else made of its fields'."""
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        model = document["components"]["schemas"][name]
        yield from model.get("examples", ())
        fields = model["properties"].items()
        yield {field: known["examples"][0] if known.get("examples") else "…" for field, known in fields}


def _curl(method: str, address: str, body: Any) -> str:
    parts = ["curl", *([] if method == "get" else ["-X", method.upper()]), '-H "Authorization: Bearer $TOKEN"']
    if body is not None:
        parts.append(f"-H 'Content-Type: application/json' \\\n  -d '{json.dumps(body, ensure_ascii=False)}'")
    return f"{' '.join(parts)} \\\n  '{address}'"
