"""Our programs as child processes, started as a person would start them."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import yaml

from tests.system.process import Server, ServerError, free_port, http_get

ROOT: Final = Path(__file__).parents[2]
ROOT_KEY: Final = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
SCENARIO: Final = ROOT / "config" / "sim" / "bench.yaml"
PROFILES: Final = ROOT / "config" / "profiles"


def program(name: str) -> str:
    """A console script of this environment."""
    return str(Path(sys.executable).parent / name)


def output(*command: str, timeout_s: float = 60) -> str:
    """Standard output of a command that must succeed.

    Raises:
        ServerError: it ended with an error.
    """
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False, cwd=ROOT)
    if done.returncode:
        raise ServerError(f"{' '.join(command[:3])} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout


class Gateway(Server):
    """`lamplighter-gateway run` with a ready configuration."""

    program: ClassVar = "lamplighter-gateway"
    start_timeout_s: ClassVar = 120.0

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.metrics_port = free_port()
        own = {"data": str(self.folder / "data"), "metrics": {"host": "127.0.0.1", "port": self.metrics_port}}
        self._config = {**config, **own}

    def prepare(self) -> None:
        """Write its configuration."""
        (self.folder / "gateway.yaml").write_text(yaml.safe_dump(self._config, sort_keys=False, allow_unicode=True))

    def command(self) -> Sequence[str]:
        """As a service unit would."""
        return [program(self.program), "run", str(self.folder / "gateway.yaml")]

    def answers(self) -> bool:
        """True when its metrics can be read."""
        return http_get(self.metrics_port, "/metrics") is not None


def polling(broker_port: int, ports: Sequence[int], units: int, poll_s: float) -> dict[str, Any]:
    """Configuration of a gateway that polls lamp-single units on Modbus TCP and reports every change at once."""
    return {
        "gateway": "gw-1",
        "profiles": str(PROFILES),
        "root_key": ROOT_KEY,
        "uplink": {"host": "127.0.0.1", "port": broker_port},
        "report": {"interval_s": 0, "heartbeat_s": 900},
        "buses": [_bus(place, port) for place, port in enumerate(ports)],
        "devices": [_lamps(place, units, poll_s) for place in range(len(ports))],
    }


def _bus(place: int, port: int) -> dict[str, Any]:
    return {"id": f"bus-{place + 1}", "wire": "modbus-tcp", "host": "127.0.0.1", "port": port, "timeout_s": 0.5}


def _lamps(place: int, units: int, poll_s: float) -> dict[str, Any]:
    lamps = {"id": f"lamp-{place + 1:02}-{{n:03}}", "bus": f"bus-{place + 1}", "profile": "lamp-single"}
    return {**lamps, "units": f"1-{units}", "poll_s": poll_s}


class Simulator(Server):
    """`lamplighter-sim run` on the bench scenario: four Modbus TCP ports with 250 lamps each."""

    program: ClassVar = "lamplighter-sim"

    @property
    def directory(self) -> Path:
        """Where it keeps its endpoints and control socket."""
        return self.folder / "sim"

    def command(self) -> Sequence[str]:
        """All of the scenario, on free ports."""
        return [program(self.program), "run", "--scenario", str(SCENARIO), "--directory", str(self.directory)]

    def answers(self) -> bool:
        """True when every wire is open."""
        return (self.directory / "endpoints.json").exists()

    def gateway_config(self, broker_port: int, root_key: str, poll_s: float) -> dict[str, Any]:
        """Configuration of the gateway that serves this city."""
        options = {
            "--scenario": str(SCENARIO),
            "--gateway": "gw-1",
            "--endpoints": str(self.directory / "endpoints.json"),
            "--data": "replaced",
            "--root-key": root_key,
            "--profiles": str(PROFILES),
            "--uplink-port": str(broker_port),
            "--poll-s": str(poll_s),
            "--report-interval-s": "0",
        }
        pairs = [word for pair in options.items() for word in pair]
        config: dict[str, Any] = yaml.safe_load(
            output(program(self.program), "gateway-config", *pairs, "--ranges", "--no-names")
        )
        return config
