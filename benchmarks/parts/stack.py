"""The whole path on real parts: simulator, gateway, mosquitto, controller."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks.meter import wait_for
from benchmarks.parts.controller import Controller
from benchmarks.parts.programs import Gateway, Simulator
from tests.system.servers import Mosquitto

GATEWAY: Final = "gw-1"
LAMPS: Final = 1000
_START_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class WholePath:
    """The running parts."""

    broker: Mosquitto
    simulator: Simulator
    gateway: Gateway
    controller: Controller

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by program, those that a city runs."""
        return {"gateway": self.gateway.pid, "controller": self.controller.pid, "broker": self.broker.pid}


@contextmanager
def whole_path(poll_s: float, heartbeat_s: float = 900) -> Iterator[WholePath]:
    """Run all parts with a thousand simulated lamps, each polled every `poll_s`, until every lamp is known."""
    with ExitStack() as parts:
        broker = parts.enter_context(Mosquitto(lines=["set_tcp_nodelay true"]))
        simulator = parts.enter_context(Simulator())
        controller = parts.enter_context(Controller(broker.port, [GATEWAY]))
        config = simulator.gateway_config(broker.port, controller.root_key(), poll_s)
        config["report"]["heartbeat_s"] = heartbeat_s
        gateway = parts.enter_context(Gateway(config))
        wait_for("every lamp in the controller", lambda: _lamps_seen(controller) >= LAMPS, _START_S)
        yield WholePath(broker, simulator, gateway, controller)


def _lamps_seen(controller: Controller) -> int:
    """Lamps of which the controller knows a value."""
    columns = controller.ask("/latest?kind=lamp&quantities=power_w")
    return sum(bool(time_ms) for time_ms in columns["time_ms"])
