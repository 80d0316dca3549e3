"""The controller as a child process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import httpx
import yaml

from benchmarks.parts.programs import output, program
from tests.system.process import Server, http_get


class Controller(Server):
    """`lamplighter-controller run`; with DuckDB unless given the URL of another series store."""

    program: ClassVar = "lamplighter-controller"
    start_timeout_s: ClassVar = 120.0  # others may want the cores as well

    def __init__(self, broker_port: int, enrolled: Sequence[str], series_url: str | None = None) -> None:
        super().__init__()
        self._config: dict[str, Any] = {
            "controller": "centre-1",
            "data": "data",
            "broker": {"host": "127.0.0.1", "port": broker_port},
            "http": {"host": "127.0.0.1", "port": self.port},
            "enrolled": list(enrolled),
            "demo": True,  # so that the first token stands in a file
            **({"series": {"url": series_url}} if series_url else {}),
        }

    @property
    def data(self) -> Path:
        """Its data folder."""
        return self.folder / "data"

    @property
    def url(self) -> str:
        """Base URL of its API."""
        return f"http://127.0.0.1:{self.port}/api/v1"

    def prepare(self) -> None:
        """Write its configuration."""
        (self.folder / "controller.yaml").write_text(yaml.safe_dump(self._config, sort_keys=False))

    def command(self) -> Sequence[str]:
        """As a service unit would."""
        return [program(self.program), "run", str(self.folder / "controller.yaml")]

    def answers(self) -> bool:
        """True when it says it is well."""
        return http_get(self.port, "/api/v1/health") is not None

    def root_key(self) -> str:
        """Public half of its root key, base64."""
        return (self.data / "keys" / "root.pub").read_text().strip()

    def headers(self) -> dict[str, str]:
        """What a caller with all rights sends along."""
        return {"Authorization": f"Bearer {(self.data / 'admin.token').read_text().strip()}"}

    def stored(self) -> int:
        """Readings it has stored since its start."""
        told = output(program(self.program), "status", str(self.folder / "controller.yaml"))
        return next(int(line.partition(":")[2]) for line in told.splitlines() if line.startswith("stored:"))

    def ask(self, path: str) -> Any:
        """JSON answer to a GET."""
        answer = httpx.get(f"{self.url}{path}", headers=self.headers(), timeout=10)
        answer.raise_for_status()
        return answer.json()
