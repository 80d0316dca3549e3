"""From `make run` to the first live reading behind the page: with the environment built, and from a fresh clone."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final

import httpx

from benchmarks.figure import Effort, Figure
from benchmarks.meter import BenchmarkError
from benchmarks.parts.programs import ROOT, output
from tests.system.process import Server, ServerError

PLAIN_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:(\d+)/#token=(\S+)")
_FULL_LIMIT_S: Final = 900.0
_QUICK_LIMIT_S: Final = 35.0


class MakeRun(Server):
    """`make run` of a checkout, in a throw-away data folder; it answers when a lamp's live value can be read."""

    program: ClassVar = "make"
    start_timeout_s: ClassVar = _FULL_LIMIT_S

    def __init__(self, checkout: Path, limit_s: float, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._checkout, self._environment = checkout, environment
        self._deadline_s = time.monotonic() + limit_s

    def command(self) -> Sequence[str]:
        """As a person types it, apart from the data folder."""
        changes = [f"{name}={value}" for name, value in self._environment.items()]
        make = ["make", "-C", str(self._checkout), "run", f"RUN_DIR={self.folder / 'run'}"]
        return ["env", "-u", "MAKEFLAGS", "-u", "MAKELEVEL", *changes, *make]

    def answers(self) -> bool:
        """True when the page is there and a lamp's value has come in since the start."""
        if time.monotonic() > self._deadline_s:
            raise BenchmarkError(f"no live reading in time:\n{self.log_tail()}")
        found = ADDRESS.search((self.folder / "server.log").read_text(errors="replace"))
        return found is not None and _live(int(found[1]), found[2])


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of start."""
    yield Figure("start.built_s", _seconds(ROOT, _FULL_LIMIT_S, {}), "s", config=_config(effort))
    config = {**_config(effort), "from": "git clone, empty HOME, no uv on the PATH; packages come over the network"}
    with TemporaryDirectory(prefix="lamplighter-") as folder:
        checkout, home = Path(folder, "clone"), Path(folder, "home")
        home.mkdir()
        output("git", "clone", "--quiet", str(ROOT), str(checkout))
        environment = {"HOME": str(home), "PATH": PLAIN_PATH, "UV_CACHE_DIR": str(home / "uv")}
        seconds: float | None = None
        try:
            seconds = _seconds(checkout, effort.pick(_FULL_LIMIT_S, _QUICK_LIMIT_S), environment)
        except (BenchmarkError, ServerError) as error:
            config["why"] = str(error)[-500:]
        yield Figure("start.cold_s", seconds, "s", config=config)


def _seconds(checkout: Path, limit_s: float, environment: Mapping[str, str]) -> float:
    begun_s = time.monotonic()
    running = MakeRun(checkout, limit_s, environment)
    try:
        running.start()
        return time.monotonic() - begun_s
    finally:
        running.close()


def _live(port: int, token: str) -> bool:
    url, headers = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {token}"}
    try:
        page = httpx.get(url, timeout=5)
        columns = httpx.get(f"{url}/api/v1/latest?kind=lamp&quantities=power_w", headers=headers, timeout=5)
    except httpx.HTTPError:
        return False
    if not (page.is_success and columns.is_success):
        return False
    return any(power_w is not None for power_w in columns.json()["values"].get("power_w", ()))


def _config(effort: Effort) -> dict[str, Any]:
    return {"city": "20 supply points, about 1,800 lamps, 4 gateways", "store": "duckdb", "quick": effort.quick}
