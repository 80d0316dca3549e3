"""Where repairs are proved: by telemetry as it comes, by a cabinet's meter, by a photo and a second person."""

from typing import Any, Final

from sqlalchemy import Connection

from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.diagnosis.incidents.incident import Incident
from lamplighter_controller.maintenance.around import RULE, Around
from lamplighter_controller.maintenance.orders import proof, records
from lamplighter_controller.maintenance.orders.desk import OrderDesk, Taken
from lamplighter_controller.maintenance.orders.life import Action, Wish
from lamplighter_controller.maintenance.orders.locking import incidents_of
from lamplighter_controller.maintenance.orders.locks import Lock
from lamplighter_controller.maintenance.orders.opening import Place
from lamplighter_controller.maintenance.orders.order import Order, ProofKind, State
from lamplighter_controller.maintenance.orders.proof import Asked, Outcome, Verdict
from lamplighter_controller.maintenance.refused import Refused, not_now
from lamplighter_controller.maintenance.streets import StreetMap
from lamplighter_controller.series.port import Readings

MOST_LAMPS: Final = 200
MOST_ROWS: Final = 200_000
LOOK_BACK_MS: Final = 3 * 24 * 3_600_000
LAMP_QUANTITIES: Final = ("desired_percent", "power_w", "leakage_ma")
CIRCUIT_QUANTITIES: Final = ("contactor_closed", "circuit_current_a", "leakage_ma")
METER_WINDOW_MS: Final = 30 * 60_000
LIT_W: Final = 50.0
LEAST_PAUSE_S: Final = 2.0


class Prover:
    """Asks of every order that awaits proof whether there is any yet."""

    def __init__(self, around: Around, streets: StreetMap, desk: OrderDesk) -> None:
        """Read series, incidents and the ledger."""
        self._around, self._streets, self._desk = around, streets, desk
        self._next_s: dict[str, float] = {}

    async def look(self) -> None:
        """Prove what can be proved; send back what has not helped.

        Raises:
            LedgerUnavailable, SeriesUnavailable: the rest is looked at again later.
        """
        for order in await self._around.ledger.read(lambda connection: records.in_states(connection, [State.DONE])):
            if self._is_due(order):
                await self._follow(order, await self.verdict(order))

    async def close(self) -> None:
        """Close what is proved, where that needs nobody.

        Raises:
            LedgerUnavailable: the rest is closed later.
        """
        if self._around.settings.closes_itself:
            for order in await self._around.ledger.read(
                lambda connection: records.in_states(connection, [State.PROVED])
            ):
                await self._act(order, Action.CLOSE, "proved", {})

    def _is_due(self, order: Order) -> bool:
        """Readings of many lamps are not asked for more often than something new can have been shown."""
        now_s, pause_s = self._around.clock.monotonic_s(), self._around.settings.settle_ms / 6_000 / self._around.rate
        if now_s < self._next_s.get(order.id, 0.0):
            return False
        self._next_s = {name: due_s for name, due_s in self._next_s.items() if due_s > now_s}
        self._next_s[order.id] = now_s + max(pause_s, LEAST_PAUSE_S)
        return True

    async def verdict(self, order: Order) -> Verdict:
        """What can be said of an order that is done, by now."""
        locks = await self._around.ledger.read(lambda connection: records.locks_of(connection, order.id))
        if any(one.in_force for one in locks):
            return Verdict(Outcome.WAITING, "it is still locked")
        incidents = await incidents_of(self._around, order)
        if any(one.isolation is not None and one.isolation.state == "open" for one in incidents):
            return Verdict(Outcome.WAITING, "its circuit is still open")
        place = (await self._streets.get()).place(order.on)
        since_ms = max([order.done_ms, *_released(locks)])
        match order.proof:
            case ProofKind.TELEMETRY:
                return await self._by_telemetry(order, place, since_ms, incidents)
            case ProofKind.METER:
                return await self._by_meter(order, place, since_ms)
        return Verdict(Outcome.WAITING, "a photo and a second person are awaited")

    async def by_person(self, identity: str, wish: Wish, key: str | None = None) -> Taken | Refused | None:
        """A second person who has looked at photo and place says that it is mended."""

        def look(connection: Connection) -> tuple[Order | None, int]:
            return records.find(connection, identity), len(records.photos_of(connection, identity))

        order, photos = await self._around.ledger.read(look)
        if order is None:
            return None
        if order.state is State.DONE:
            if order.done_by == wish.who:
                return Refused("", "second-person", "whoever did the work does not prove it", conflict=True)
            if not photos:
                return not_now("there is no photo of it")
        return await self._desk.act(identity, wish, key)

    async def _by_telemetry(self, order: Order, place: Place, since_ms: int, incidents: list[Incident]) -> Verdict:
        kind, names = self._voices(order, place)
        if not names:
            return Verdict(Outcome.WAITING, "nobody there tells anything; prove it by a photo and a second person")
        own = next((one for one in incidents if one.element == order.on), None)
        limit_ma = proof.leak_limit_ma(own, of_people=kind is Kind.LAMP)
        asked = Asked(order.class_id, since_ms, self._around.settings.settle_ms, limit_ma)
        readings = await self._readings(kind, names, since_ms)
        return proof.judged(asked, readings, names, self._standing(order.on))

    def _voices(self, order: Order, place: Place) -> tuple[Kind, tuple[str, ...]]:
        """A leaking circuit speaks for itself; else the lamps that hang on the element do."""
        circuit = order.element_kind is ElementKind.CIRCUIT and order.element in place.circuits
        if circuit and order.class_id == "leak":
            return Kind.CIRCUIT, (order.element,)
        return Kind.LAMP, place.devices[:MOST_LAMPS]

    def _standing(self, element: Element) -> list[Incident]:
        return [one for one in self._around.diagnosis.desk.open() if one.element == element and one.is_open]

    async def _readings(self, kind: Kind, names: tuple[str, ...], since_ms: int) -> Readings:
        now_ms = self._around.clock.civil_ms()
        start_ms = max(since_ms, now_ms - LOOK_BACK_MS)
        wanted = LAMP_QUANTITIES if kind is Kind.LAMP else CIRCUIT_QUANTITIES
        return await self._around.series.range(kind, names, wanted, start_ms, now_ms + 1, MOST_ROWS)

    async def _by_meter(self, order: Order, place: Place, since_ms: int) -> Verdict:
        """The cabinet's power while lit: before the fault was reported, and after the repair."""
        missing_w = await self._missing_w(order)
        if not place.meter or missing_w <= 0:
            return Verdict(Outcome.WAITING, "how much is missing is not known; prove it by a photo and a second person")
        before = await self._lit_w(place.meter, order.detected_ms, order.done_ms)
        after = await self._lit_w(place.meter, since_ms, since_ms + LOOK_BACK_MS)
        if before is None or after is None:
            return Verdict(Outcome.WAITING, "the cabinet was not lit since, or not before")
        return proof.meter_step(before, after, missing_w)

    async def _missing_w(self, order: Order) -> float:
        streets = await self._streets.get()
        models = streets.inventory.models
        lamps = [one for one in streets.lamps(order.on) if one.model in models]
        return sum(models[one.model].rated_w for one in lamps if one.model is not None)

    async def _lit_w(self, meter: str, start_ms: int, end_ms: int) -> float | None:
        """The mean power in the first half hour in which anything was lit."""
        readings = await self._around.series.range(Kind.CABINET, [meter], ["power_w"], start_ms, end_ms, MOST_ROWS)
        power_w = readings.values.get("power_w")
        if power_w is None or not len(readings.time_ms):
            return None
        lit = power_w > LIT_W
        if not lit.any():
            return None
        first_ms = readings.time_ms[lit][0]
        near = lit & (readings.time_ms <= first_ms + METER_WINDOW_MS)
        return float(power_w[near].mean())

    async def _follow(self, order: Order, verdict: Verdict) -> None:
        if verdict.outcome is Outcome.PROVED:
            kind = {"kind": order.proof.value, "text": verdict.text}
            await self._act(order, Action.PROVE, verdict.text[:500], kind)
        elif verdict.outcome is Outcome.NOT_MENDED:
            await self._act(order, Action.SEND_BACK, verdict.text[:500], {"text": verdict.text})

    async def _act(self, order: Order, action: Action, reason: str, detail: dict[str, Any]) -> None:
        at_ms = max(self._around.clock.civil_ms(), order.changed_ms)
        await self._desk.act(order.id, Wish(action, RULE, at_ms, reason, detail))


def _released(locks: list[Lock]) -> list[int]:
    return [one.released_ms for one in locks]
