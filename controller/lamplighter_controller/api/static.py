"""The console: files built into the package's `web` folder, or a plain page when it was not built."""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WEB: Final = Path(__file__).parent.parent / "web"

PLAIN_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lamplighter</title></head><body><main>
<h1>Lamplighter</h1>
<p lang="zh-CN">控制中心正在运行,但网页控制台没有构建(需要 Node 20.19 以上,然后重新执行 <code>make env</code>)。</p>
<p>The controller is running; its web console was not built (that takes Node 20.19 or newer, then <code>make env</code>
again). The API is complete without it: <a href="/api/v1/openapi.json">its description</a>.</p>
</main></body></html>
"""


class Console(StaticFiles):
    """Static files; those with a hash in their name may be kept for good, all others are asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, with its caching rule."""
        response = await super().get_response(path, scope)
        hashed = path.startswith("assets/")
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response


def install(app: FastAPI, folder: Path = WEB) -> None:
    """Serve the console at the root; the API keeps its own paths."""
    if (folder / "index.html").is_file():
        app.mount("/", Console(directory=folder, html=True), name="console")
        return

    @app.get("/", include_in_schema=False)
    async def plain() -> HTMLResponse:
        return HTMLResponse(PLAIN_PAGE)


def build_id(folder: Path = WEB) -> str:
    """Names the console's build, so that an open page knows when to load itself again."""
    index = folder / "index.html"
    return str(index.stat().st_mtime_ns) if index.is_file() else "none"
