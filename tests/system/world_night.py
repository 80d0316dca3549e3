"""A night that passes in minutes: a city under a published plan, watched lamp by lamp against the plan itself."""

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from lamplighter_contract.light.level import level
from lamplighter_contract.light.plans.plan import Circuit, Plan, read_plan
from lamplighter_contract.light.view import View
from lamplighter_contract.wire.topics import Down, down
from lamplighter_controller.security.keys import load_key
from lamplighter_firmware_sim.scenario.model import Place, Wire
from tests.system.world import ZONE, World
from tests.system.world_api import eventually
from tests.system.world_rogue import Rogue

RATE: Final = 240.0
LOOK_S: Final = 0.2
TOLERANCE_PERCENT: Final = 3.0  # a ramp goes in steps of two, a wire carries whole numbers
SOON_S: Final = 20.0
WHY: Final = {"reason": "summer hours"}
FUYUAN: Final = Place(latitude=48.36, longitude=134.29)  # the easternmost city of its zone: midsummer nights are short
CABINETS: Final = ((Wire.MODBUS_TCP, 8), (Wire.MODBUS_RTU, 4), (Wire.MQTT, 4))


def at(text: str) -> datetime:
    """A civil time of the zone, as in 2026-06-20 16:00."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)


def ms(moment: datetime) -> int:
    """Epoch ms."""
    return round(moment.timestamp() * 1000)


@dataclass(slots=True)
class Watch:
    """What was seen of the lamps: how long one was off its plan at most, in real seconds, and the levels seen."""

    late_s: float = 0.0
    latest: str = ""
    looks: int = 0
    levels: dict[str, set[int]] = field(default_factory=dict)


class Watcher:
    """Looks at every lamp a few times a second and compares it with what its plan wants at that moment."""

    def __init__(self, world: World, views: Mapping[str, View]) -> None:
        self._world = world
        self._views = {lamp: views[gateway] for gateway in views for lamp in world.city.lamps(gateway)}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self.seen = Watch()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def is_alive(self) -> bool:
        """True while it looks."""
        return self._thread.is_alive()

    def _run(self) -> None:
        good_s = dict.fromkeys(self._views, time.monotonic())
        while not self._stop.wait(LOOK_S):
            now_ms, now_s, shown = self._world.clock.civil_ms(), time.monotonic(), self._world.city.levels()
            self.seen.looks += 1
            for lamp, view in self._views.items():
                wanted = level(view, lamp, now_ms, {}).level_percent
                self.seen.levels.setdefault(lamp, set()).add(round(shown[lamp]))
                if wanted is not None and abs(wanted - shown[lamp]) <= TOLERANCE_PERCENT:
                    good_s[lamp] = now_s
                self._note(lamp, now_s - good_s[lamp], f"{shown[lamp]:g} % instead of {wanted:g} %", now_ms)

    def _note(self, lamp: str, late_s: float, what: str, now_ms: int) -> None:
        if late_s > self.seen.late_s:
            when = datetime.fromtimestamp(now_ms / 1000, ZONE)
            self.seen.late_s, self.seen.latest = late_s, f"{lamp} at {when:%m-%d %H:%M}: {what}"


class Night:
    """A world under a plan; use it as `with Night(...) as night`."""

    def __init__(self, begins: datetime, *, gateways: int = 2, cabinets: Iterable[tuple[Wire, int]] = CABINETS) -> None:
        self._stack = contextlib.ExitStack()
        self.world = World(gateways=gateways, cabinets=tuple(cabinets), begins=begins, rate=RATE, place=FUYUAN)
        self.views: dict[str, View] = {}

    def __enter__(self) -> Self:
        self._stack.enter_context(self.world)
        try:
            self._publish()
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @property
    def now_ms(self) -> int:
        """Civil time."""
        return self.world.clock.civil_ms()

    @property
    def now(self) -> datetime:
        """Civil time, as people say it."""
        return datetime.fromtimestamp(self.now_ms / 1000, ZONE)

    def wait_until(self, moment: datetime) -> None:
        """Let the night pass until then; there is nothing to wait for when it has."""
        time.sleep(max(0.0, self.world.clock.scale.real_s(ms(moment) - self.now_ms)))

    def plan(self, gateway: str) -> Plan:
        """The plan a gateway follows."""
        return self.views[gateway].plan

    def circuits(self, gateway: str) -> tuple[Circuit, ...]:
        """The contactors of a gateway that feed lamps, and which."""
        city = self.world.city.plan
        fed: dict[int, list[str]] = {}
        for lamp in city.lamps:
            fed.setdefault(lamp.circuit, []).append(lamp.id)
        mine = [number for number, one in enumerate(city.circuits) if city.cabinets[one.cabinet].gateway == gateway]
        return tuple(Circuit(city.circuits[number].id, lamps=tuple(fed[number])) for number in mine if number in fed)

    def show(self, gateway: str, starts: datetime, length_s: float, *cues: Mapping[str, Any]) -> None:
        """Have a show played by all lamps of a gateway."""
        lamps = self.world.city.lamps(gateway)
        body = {"length_s": length_s, "cues": [{"devices": lamps, **cue} for cue in cues]}
        self.world.api.ask("PUT", "/scenes/show", json={**WHY, "body": body})
        self.world.api.ask("POST", "/scenes/show/start", json={**WHY, "starts_ms": ms(starts)})
        self._take_up(gateway, self.plan(gateway).version + 1)

    def add_circuits(self, gateway: str) -> None:
        """Give a gateway its plan with its contactors in it, signed by the centre's key."""
        plan = self.plan(gateway)
        newer = msgspec.structs.replace(plan, version=plan.version + 1, circuits=self.circuits(gateway))
        signer = load_key(self.world.controller.data / "keys" / "commands.key")
        with Rogue(self.world.broker.port) as centre:
            centre.say(down(gateway, Down.PLAN), signer.sign(newer.as_json()), retain=True)
        self._take_up(gateway, newer.version)

    @contextlib.contextmanager
    def watched(self) -> Iterator[Watcher]:
        """Watch until the end of the block."""
        with Watcher(self.world, self.views) as watcher:
            yield watcher

    def kill_the_centre(self) -> None:
        """Uplink broker and controller die."""
        self.world.broker.kill()
        self.world.controller.kill()

    def bring_back_the_centre(self) -> None:
        """They start again, as somebody finds them."""
        self.world.broker.start()
        self.world.controller.start()

    def _publish(self) -> None:
        api = self.world.api
        api.ask("POST", "/presets", json=WHY)
        number = api.ask("POST", "/plans", json=WHY)["number"]
        checked = api.ask("POST", f"/plans/{number}/validate", json=WHY)
        assert checked["state"] == "validated", checked
        api.ask("POST", f"/plans/{number}/publish", json=WHY)
        for gateway in self.world.gateways:
            self._take_up(gateway, 1)

    def _take_up(self, gateway: str, version: int) -> None:
        """The plan of a version as it is on the broker, once the gateway follows it."""
        with Rogue(self.world.broker.port) as listener:
            topic = down(gateway, Down.PLAN)
            heard = listener.wait_for(topic, lambda message: message.document()["version"] == version)
        plan = read_plan(heard.document())
        assert isinstance(plan, Plan), plan
        self.views[gateway] = View(plan)
        box = self.world.gateways[gateway]
        eventually(lambda: box.ask("status")["plan_version"] == version, SOON_S, f"{gateway} follows plan {version}")
