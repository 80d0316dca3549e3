"""Where a demo keeps its files, and which loopback ports it takes."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lamplighter_firmware_sim.errors import SimError

PREFERRED_HTTP: Final = 8080
PREFERRED_UPLINK: Final = 18_830
PREFERRED_FIELD: Final = 18_840
PREFERRED_TRUCKS: Final = 18_880
PREFERRED_RELAY: Final = 18_890
PREFERRED_INFLUX: Final = 18_860
PREFERRED_BUSES: Final = range(15_000, 19_000, 100)

Free = Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of a demo and the names in it."""

    directory: Path

    @property
    def clock(self) -> Path:
        """The clock file all programs share."""
        return self.directory / "clock.json"

    @property
    def last(self) -> Path:
        """The civil time reached at least."""
        return self.directory / "last"

    @property
    def sim(self) -> Path:
        """The simulator's folder: serial lines, control socket, counters."""
        return self.directory / "sim"

    @property
    def survey(self) -> Path:
        """The city as files for the inventory."""
        return self.directory / "survey"

    @property
    def fleet(self) -> Path:
        """The fleet as files for the register, and the socket that takes orders for trucks."""
        return self.directory / "fleet"

    @property
    def centre(self) -> Path:
        """The controller's data."""
        return self.directory / "centre"

    def log(self, name: str) -> Path:
        """A program's log."""
        return self.directory / "logs" / f"{name}.log"

    def pid(self, name: str) -> Path:
        """A program's process id, for whoever wants to kill it."""
        return self.directory / "pids" / name

    def config(self, name: str) -> Path:
        """A program's generated configuration."""
        return self.directory / f"{name}.yaml"

    def make(self) -> None:
        """Make the folders."""
        for folder in (self.sim, self.fleet, self.directory / "logs", self.directory / "pids"):
            folder.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True)
class Ports:
    """Loopback ports of one demo."""

    http: int
    uplink: int
    field: int
    influx: int
    trucks: int
    relay: int
    buses_from: int  # cabinet n listens on this + n


def is_free(port: int) -> bool:
    """True when nobody listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def choose_ports(cabinets: int, http: int | None, free: Free = is_free) -> Ports:
    """The preferred ports where they are free, the next free ones elsewhere.

    Raises:
        SimError: the HTTP port that was asked for is taken, or nothing is free.
    """
    if http is not None and not free(http):
        raise SimError(f"port {http} is taken; give another one with --http-port")
    return Ports(
        http=http or _first(range(PREFERRED_HTTP, PREFERRED_HTTP + 100), free),
        uplink=_first(range(PREFERRED_UPLINK, PREFERRED_UPLINK + 10), free),
        field=_first(range(PREFERRED_FIELD, PREFERRED_FIELD + 10), free),
        influx=_first(range(PREFERRED_INFLUX, PREFERRED_INFLUX + 10), free),
        trucks=_first(range(PREFERRED_TRUCKS, PREFERRED_TRUCKS + 10), free),
        relay=_first(range(PREFERRED_RELAY, PREFERRED_RELAY + 10), free),
        buses_from=_first([b for b in PREFERRED_BUSES if all(free(b + n) for n in range(1, cabinets + 1))], free),
    )


def _first(candidates: Sequence[int], free: Free) -> int:
    for port in candidates:
        if free(port):
            return port
    raise SimError("no free loopback ports")
