"""All gateways: who is enrolled, who is there, and what each last said of itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from lamplighter_contract.clock import Clock
from lamplighter_contract.wire.documents import BusEntry, GatewayState, Health
from lamplighter_controller.events import Events, GatewayChanged
from lamplighter_controller.intake import presence, store
from lamplighter_controller.intake.alarms import Alarms
from lamplighter_controller.intake.journal import Journal
from lamplighter_controller.intake.presence import Presence, Status
from lamplighter_controller.intake.store import Report

MOST_STRANGERS: Final = 200
QUIET_S: Final = 600.0


@dataclass(slots=True)
class _Gateway:
    report: Report
    presence: Presence = field(default_factory=Presence)
    buses: tuple[BusEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Unheard:
    """Why a hold is not ended: enrolled gateways that have not told their highest command number since the start."""

    gateways: tuple[str, ...]

    def __str__(self) -> str:
        """For a person."""
        return (
            f"not heard since the start: {', '.join(self.gateways)}. A command to one of them could take a number "
            "it has seen already. Wait for them, revoke them, or release anyway"
        )


class Gateways:
    """Presence and self-reports; a gateway that is not enrolled is only remembered as a stranger's name."""

    def __init__(self, clock: Clock, events: Events, alarms: Alarms, journal: Journal, rate: float = 1.0) -> None:
        """Begin with nobody; `load` and `enrol` follow. Our own civil time runs `rate` times as fast as real time."""
        self._rate = rate
        self._clock, self._events, self._alarms, self._journal = clock, events, alarms, journal
        self._known: dict[str, _Gateway] = {}
        self._enrolled: frozenset[str] = frozenset()
        self._strangers: dict[str, int] = {}

    def load(self, reports: Iterable[Report]) -> None:
        """Take what gateways said before this start; whether they are there is unknown until they are heard."""
        self._known = {report.gateway: _Gateway(report) for report in reports}

    def enrol(self, accepted: frozenset[str]) -> bool:
        """Listen to these and no others; True when one is new."""
        new, gone = accepted - self._enrolled, self._enrolled - accepted
        self._enrolled = accepted
        for gateway in gone:
            for key in ("offline", "doubled"):
                self._alarms.cleared(f"gateway-{key}:{gateway}")
        for gateway in new:
            self._get(gateway)
            self._strangers.pop(gateway, None)
            self._alarms.cleared(f"gateway-unknown:{gateway}")
        return bool(new)

    @property
    def enrolled(self) -> frozenset[str]:
        """The gateways we listen to."""
        return self._enrolled

    @property
    def strangers(self) -> dict[str, int]:
        """Gateways that speak to us and are not enrolled -> real epoch ms when they were last heard."""
        return dict(self._strangers)

    def stranger(self, gateway: str) -> None:
        """Somebody who is not enrolled spoke."""
        if gateway not in self._strangers and len(self._strangers) >= MOST_STRANGERS:
            text = f"more than {MOST_STRANGERS} gateways speak to us that are not enrolled; only those are named"
            self._alarms.raised("gateways-unknown", text, quiet_s=QUIET_S)
            return
        self._strangers[gateway] = self._clock.wall_ms()
        text = f"{gateway} speaks to us and is not enrolled; nothing it says is taken"
        self._alarms.raised(f"gateway-unknown:{gateway}", text, quiet_s=QUIET_S)

    def report(self, gateway: str) -> Report:
        """What a gateway last said of itself."""
        known = self._known.get(gateway)
        return known.report if known else Report(gateway, None, None, 0)

    def declares(self, gateway: str, buses: tuple[BusEntry, ...]) -> None:
        """A gateway told what it reaches its devices by; it says so again at each connect, so nothing is kept."""
        self._get(gateway).buses = buses

    def buses(self, gateway: str) -> tuple[BusEntry, ...]:
        """What a gateway reaches its devices by, as far as it has declared it."""
        known = self._known.get(gateway)
        return known.buses if known else ()

    def status(self, gateway: str) -> Status:
        """Whether it is there."""
        known = self._known.get(gateway)
        return known.presence.status if known else Status.UNKNOWN

    def unheard(self) -> Unheard | None:
        """Who is enrolled and has not introduced itself, in a birth, since we started; None when everyone has."""
        missing = [name for name in sorted(self._enrolled) if not self._get(name).presence.boot]
        return Unheard(tuple(missing)) if missing else None

    def vouched(self, gateway: str) -> bool:
        """True while its devices may be shown as they were last read."""
        known = self._known.get(gateway)
        return known is None or presence.vouched(known.presence, self._clock.monotonic_s())

    def doubled(self, gateway: str) -> bool:
        """True while two gateways seem to share this id: no commands until that is settled."""
        known = self._known.get(gateway)
        return bool(known and known.presence.doubled)

    def state(self, gateway: str, said: GatewayState, *, retained: bool = False) -> None:
        """A birth or a will came; a retained one of a boot that ended is only a broker's old memory and says nothing.

        A second gateway under the same id is noticed when it speaks for itself.
        """
        now_s = self._clock.monotonic_s()
        if retained and presence.is_former(self._get(gateway).presence, said.boot):
            return
        if said.online:
            self._note(gateway, replace(self.report(gateway), state=said))
            self._check_rate(gateway, said.rate)
            self._move(gateway, lambda known: presence.born(known, said.boot, now_s), told=True)
        else:
            self._move(gateway, lambda known: presence.willed(known, said.boot))

    def health(self, gateway: str, said: Health) -> None:
        """A gateway told how it fares."""
        self._note(gateway, replace(self.report(gateway), health=said))
        self._move(gateway, lambda known: presence.heard(known, said.boot, self._clock.monotonic_s()), told=True)

    def heard(self, gateway: str, boot: str | None) -> None:
        """Any other message of a gateway came."""
        self._move(gateway, lambda known: presence.heard(known, boot, self._clock.monotonic_s()))

    def asked_again(self) -> None:
        """Our connection to the broker is new."""
        now_s = self._clock.monotonic_s()
        for gateway in self._enrolled:
            self._move(gateway, lambda known: presence.asked_again(known, now_s))

    def out_of_sight(self, since_s: float) -> None:
        """Our connection to the broker is lost since `since_s` (monotonic)."""
        for gateway in self._enrolled:
            self._move(gateway, lambda known: presence.out_of_sight(known, since_s))

    def tick(self) -> None:
        """Let time count."""
        long_ago_ms = self._clock.wall_ms() - round(QUIET_S * 1000)
        for name in [name for name, heard_ms in self._strangers.items() if heard_ms <= long_ago_ms]:
            del self._strangers[name]
        now_s = self._clock.monotonic_s()
        for gateway in self._enrolled:
            self._move(gateway, lambda known: presence.passed(known, now_s))

    def _check_rate(self, gateway: str, rate: float) -> None:
        key = f"gateway-rate:{gateway}"
        if rate == self._rate:
            self._alarms.cleared(key)
        else:
            text = f"civil time of {gateway} runs x{rate:g}, ours x{self._rate:g}: give both the same clock file"
            self._alarms.raised(key, text)

    def _note(self, gateway: str, report: Report) -> None:
        report = replace(report, heard_ms=self._clock.wall_ms())
        self._get(gateway).report = report
        self._journal.put(f"gateway:{gateway}", lambda connection: store.put_report(connection, report))

    def _get(self, gateway: str) -> _Gateway:
        return self._known.setdefault(gateway, _Gateway(Report(gateway, None, None, 0)))

    def _move(self, gateway: str, step: Callable[[Presence], Presence], *, told: bool = False) -> None:
        known = self._get(gateway)
        before, known.presence = known.presence, step(known.presence)
        after = known.presence
        if after.status is not before.status:
            self._show(gateway, after.status)
        if after.doubled != before.doubled:
            self._show_doubled(gateway, doubled=after.doubled)
        if told or after.status is not before.status or after.doubled != before.doubled:
            online = None if after.status is Status.UNKNOWN else after.status is Status.ONLINE
            self._events.publish(GatewayChanged(gateway, online))

    def _show(self, gateway: str, status: Status) -> None:
        key = f"gateway-offline:{gateway}"
        if status is Status.ONLINE:
            self._alarms.cleared(key)
        elif status is not Status.UNKNOWN:
            never = self.report(gateway).heard_ms == 0
            self._alarms.raised(
                key, f"{gateway} is enrolled and was never heard" if never else f"{gateway} is {status}"
            )

    def _show_doubled(self, gateway: str, *, doubled: bool) -> None:
        key = f"gateway-doubled:{gateway}"
        if doubled:
            self._alarms.raised(key, f"two gateways use the id {gateway}; it gets no commands until one is gone")
        else:
            self._alarms.cleared(key)
