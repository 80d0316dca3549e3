"""A small city that is in the inventory, follows a plan, and is diagnosed as it goes; what is told of it."""

import contextlib
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from lamplighter_firmware_sim.scenario.model import Wire
from lamplighter_firmware_sim.survey.files import to_csv
from lamplighter_firmware_sim.survey.tables import tables
from tests.system.world import World
from tests.system.world_api import eventually

TRIPPED: Final = 30  # lamps behind one breaker
WHY: Final = {"reason": "story"}
FOLLOWS_S: Final = 60.0
KEPT_S: Final = 2.0


class Diagnosed:
    """A world whose diagnosis knows the street; use it as `with Diagnosed(...) as city`.

    Args:
        begins: civil time.
        rate: civil seconds in a real one.
        poll_s: real seconds between two readings of a lamp; diagnosis looks twice as often.
        lamps: how many are on Modbus, beside six on MQTT.
        sla_h: hours to mend what endangers somebody.
        controller: further sections of the controller's configuration.
    """

    def __init__(
        self,
        begins: datetime,
        *,
        rate: float,
        poll_s: float,
        lamps: int,
        sla_h: float = 1.0,
        controller: Mapping[str, Any] | None = None,
    ) -> None:
        self._stack = contextlib.ExitStack()
        self.rate, self.poll_s = rate, poll_s
        self.begun_s = time.monotonic()
        hours = {5: sla_h, 4: 24.0, 3: 24.0}
        settings = {"step_s": poll_s / 2, "reading_s": poll_s, "checkpoint_s": KEPT_S, "sla_hours": hours}
        sections = {"diagnosis": settings, **(controller or {})}
        cabinets = ((Wire.MODBUS_TCP, lamps), (Wire.MQTT, 6))
        self.world = World(gateways=1, cabinets=cabinets, begins=begins, rate=rate, poll_s=poll_s, controller=sections)

    def __enter__(self) -> Self:
        self._stack.enter_context(self.world)
        try:
            self._survey()
            self._publish()
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def incidents(self, *states: str) -> list[dict[str, Any]]:
        """What is told; without states everything that is not closed."""
        found: list[dict[str, Any]] = self.world.api.get("/incidents", state=list(states), limit=500)["items"]
        return found

    def told(self, *states: str) -> set[tuple[str, str, str]]:
        """(class, kind of element, element) of each incident."""
        return {(one["class"], one["element"]["kind"], one["element"]["id"]) for one in self.incidents(*states)}

    def lamps_of(self, circuit: str) -> list[str]:
        """The lamps behind a breaker."""
        city = self.world.city.plan
        number = next(n for n, one in enumerate(city.circuits) if one.id == circuit)
        return [lamp.id for lamp in city.lamps if lamp.circuit == number]

    def leak(self, circuit: str) -> dict[str, Any]:
        """The leak that has this circuit opened, or is to."""
        leaks = [one for one in self.incidents("raised") if one["class"] == "leak" and one["isolation"]]
        return next((one for one in leaks if one["isolation"]["circuits"] == [circuit]), {"isolation": {}})

    def isolation(self, circuit: str) -> tuple[str, str]:
        """Its state, and what is said of it."""
        found = self.leak(circuit)["isolation"]
        return found.get("state", ""), found.get("text", "")

    def pass_civil(self, minutes: float) -> None:
        """Let the night go on."""
        time.sleep(minutes * 60 / self.rate)

    def known_for(self, seconds: float) -> None:
        """Wait until the street has been as it is for so long, real time."""
        time.sleep(max(self.begun_s + seconds - time.monotonic(), 0))

    def restart_controller(self) -> None:
        """Stop it and start it again."""
        self.world.controller.stop()
        self.world.controller.start()
        self.world.meet_controller()

    def wait_told(self, expected: Iterable[tuple[str, str, str]], within_s: float) -> float:
        """Wait until all of these are told; how long that took."""
        begun, wanted = time.monotonic(), set(expected)
        told: set[tuple[str, str, str]] = set()

        def look() -> bool:
            told.clear()
            told.update(self.told())
            return wanted <= told

        try:
            eventually(look, within_s, "told")
        except AssertionError as late:
            raise AssertionError(f"not told within {within_s:g} s: {wanted - told}; told: {told}") from late
        return time.monotonic() - begun

    def _survey(self) -> None:
        for kind, rows in tables(self.world.city.plan).items():
            if rows:
                loose = [{name: cell for name, cell in row.items() if name != "calendar"} for row in rows]
                query = {**WHY, "form": "csv", "crs": "wgs84", "dry_run": False}
                headers = {"content-type": "text/csv"}
                answer = self.world.api.ask(
                    "POST", f"/{kind}/import", params=query, content=to_csv(loose).encode(), headers=headers
                )
                assert not answer["mistakes"], answer

    def _publish(self) -> None:
        api, box = self.world.api, self.world.gateway()
        api.ask("POST", "/presets", json=WHY)
        number = api.ask("POST", "/plans", json=WHY)["number"]
        checked = api.ask("POST", f"/plans/{number}/validate", json=WHY)
        assert checked["state"] == "validated", checked
        api.ask("POST", f"/plans/{number}/publish", json=WHY)
        eventually(lambda: box.ask("status")["plan_version"], FOLLOWS_S, "the gateway follows a plan")
