"""The simulated city and sick links, run in a thread beside a test that blocks."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from lamplighter_contract.clock import Clock
from lamplighter_firmware_sim.city import City, build_city
from lamplighter_firmware_sim.endpoints import Endpoints
from lamplighter_firmware_sim.scenario.model import (
    CabinetGroup,
    FieldLine,
    LampModel,
    Place,
    Road,
    Scenario,
    SerialLine,
    Technology,
    Wire,
)
from lamplighter_firmware_sim.serve import RunningCity, running_city
from lamplighter_firmware_sim.simulation import LampState, Write
from tests.system.process import free_port
from tests.system.proxy import Proxy

T = TypeVar("T")
PATIENCE_S: Final = 15.0


class LoopThread:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="city", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine there and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def call(self, work: Callable[[], T]) -> T:
        """Call a function there, so that nothing else of the loop runs meanwhile."""

        async def called() -> T:
            return work()

        return self.run(called())

    def close(self) -> None:
        """End the thread; what still runs in it is cancelled."""
        self.run(_cancel_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class SickLink:
    """A `Proxy` that a blocking test holds by its handles."""

    def __init__(self, thread: LoopThread, upstream_port: int) -> None:
        self._thread, self._proxy = thread, Proxy(upstream_port, port=free_port())
        self.restore()

    @property
    def port(self) -> int:
        """Where clients connect to."""
        return self._proxy.port

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        self._thread.run(self._proxy.cut())

    def restore(self) -> None:
        """Take connections again."""
        self._thread.run(self._proxy.restore())

    def reset(self) -> None:
        """End every connection with RST; new ones are taken."""
        self._thread.call(self._proxy.reset)

    def swallow(self) -> None:
        """Half-open: connections stay and every byte is lost."""
        self._thread.call(self._proxy.swallow)

    def heal(self) -> None:
        """End what `swallow` began."""
        self._thread.call(self._proxy.heal)


class StreetCity:
    """A running city; its lamps, faults and writes can be looked at from the test's own thread."""

    def __init__(
        self, thread: LoopThread, scenario: Scenario, folder: Path, clock: Clock, field: tuple[str, int] | None
    ) -> None:
        self._thread, self._scenario, self._folder, self._clock, self._field = thread, scenario, folder, clock, field
        self._stack = contextlib.AsyncExitStack()
        self._running: RunningCity | None = None
        self.plan: City = build_city(scenario)

    def __enter__(self) -> Self:
        entering = running_city(self._scenario, self._folder, clock=self._clock, field_broker=self._field)
        self._running = self._thread.run(self._stack.enter_async_context(entering))
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.run(self._stack.aclose())

    @property
    def endpoints(self) -> Endpoints:
        """Where its wires are."""
        return self._city.endpoints

    def lamps(self, gateway: str) -> list[str]:
        """Ids of the lamps a gateway serves, in order."""
        return [lamp.id for lamp in self.plan.lamps if self.plan.cabinets[lamp.cabinet].gateway == gateway]

    def lamp(self, device: str) -> LampState:
        """What is true of a lamp."""
        return self._thread.call(lambda: self._city.lamp(device))

    def levels(self) -> dict[str, float]:
        """The true level of every lamp at one moment."""
        return self._thread.call(lambda: {lamp.id: self._city.lamp(lamp.id).level_percent for lamp in self.plan.lamps})

    def writes(self) -> list[Write]:
        """What devices took from their wires, oldest first."""
        return self._thread.call(lambda: self._city.writes)

    def fault(self, kind: str, target: str, value: float | None = None) -> None:
        """Let a device go wrong until `mend`; `value` is how much, in the unit of the kind of fault."""
        self._thread.call(lambda: self._city.faults.add(kind, target, None, value))

    def mend(self, target: str | None = None) -> None:
        """End the faults of a device; without one those of all."""

        def work() -> None:
            board = self._city.faults
            for fault in board.all():
                if target in {None, fault.target}:
                    board.clear(fault.number)

        self._thread.call(work)

    @property
    def _city(self) -> RunningCity:
        assert self._running is not None, "the city is not running"
        return self._running


JINAN: Final = Place(latitude=36.65, longitude=117.12)


def small_city(gateways: int, cabinets: tuple[tuple[Wire, int], ...], place: Place = JINAN) -> Scenario:
    """Gateways with the same cabinets each: the wire and the number of lamps of each."""
    return Scenario(
        name="small",
        seed=7,
        place=place,
        gateways=gateways,
        groups=tuple(CabinetGroup(wire=wire, cabinets=1, lamps=lamps) for wire, lamps in cabinets),
        models=(LampModel(name="LED 150", technology=Technology.LED, rated_w=150, share=1.0),),
        roads=(Road(zh="云杉路", en="Spruce Road"), Road(zh="柳荫路", en="Willow Road")),
        serial=SerialLine(turnaround_ms=2),
        field_line=FieldLine(heartbeat_s=5),
    )
