"""Where parts come into the store and go into the street, with all that follows from a replacement."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import msgspec
from sqlalchemy import Connection

from lamplighter_controller.diagnosis.desk import Who as DiagnosisWho
from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.events import InventoryChanged
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.desk import Who as LightingWho
from lamplighter_controller.lighting.inventory import Luminaire
from lamplighter_controller.maintenance import keys
from lamplighter_controller.maintenance.around import RULE, Around
from lamplighter_controller.maintenance.orders import records as orders
from lamplighter_controller.maintenance.orders.order import Order
from lamplighter_controller.maintenance.parts import records
from lamplighter_controller.maintenance.parts.part import (
    Fitted,
    Move,
    Part,
    PartKind,
    cannot_take,
    warranty_until_ms,
)
from lamplighter_controller.maintenance.refused import Refused
from lamplighter_controller.maintenance.streets import StreetMap
from lamplighter_controller.security import audit

log = logging.getLogger(__name__)

LEARNED_ANEW = frozenset({PartKind.LAMP, PartKind.DRIVER, PartKind.CONTROLLER})


@dataclass(frozen=True, slots=True)
class Replacement:
    """What somebody put in; `old_device` and `new_device` where the controller was exchanged."""

    element: Element
    part: str
    quantity: float = 1.0
    batch: str = ""
    serial: str = ""
    new_device: str = ""


class _Changed(ControllerError):
    """Rolls the transaction back."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.detail)
        self.refused = refused


class PartDesk:
    """Parts and material. Every method raises LedgerUnavailable; asking again is safe."""

    def __init__(self, around: Around, streets: StreetMap) -> None:
        """Stand on the ledger."""
        self._around, self._streets = around, streets

    async def put(self, part: Part, who: str, reason: str) -> None:
        """Add or replace a kind of part."""

        def work(connection: Connection) -> None:
            records.put_part(connection, part)
            self._audit(connection, who, "part.put", f"part:{part.id}", reason, {})

        await self._around.ledger.write(work)

    async def move(self, move: Move, key: str | None = None) -> Move | Refused:
        """Something comes into the store, or leaves it for good."""
        content = keys.content_of("move", {"part": move.part, "batch": move.batch, "quantity": move.quantity})

        def work(connection: Connection) -> Move | Refused:
            answer = keys.answered(connection, move.who, key, content)
            if answer is not None:
                return answer if isinstance(answer, Refused) else move
            if move.part not in records.parts(connection):
                return Refused("body.part", "known", f"there is no part {move.part[:64]!r}", conflict=True)
            if move.quantity < 0:
                in_store = records.stock(connection).get((move.part, move.batch), 0.0)
                wrong = cannot_take(move.part, move.batch, -move.quantity, in_store)
                if wrong is not None:
                    return wrong
            records.add_move(connection, move)
            keys.remember(connection, move.who, key, content, move.part, self._around.clock.wall_ms())
            detail = {"quantity": move.quantity, "batch": move.batch}
            self._audit(connection, move.who, "part.move", f"part:{move.part}", move.reason, detail)
            return move

        return await self._around.ledger.write(work)

    async def fit(
        self, identity: str, replacement: Replacement, who: str, reason: str, key: str | None = None
    ) -> Fitted | Refused | None:
        """A part of the store went into an element of an order; None when there is no such order."""
        pole = (await self._streets.get()).place(replacement.element).pole
        content = keys.content_of(f"{identity} fit", {"of": msgspec.to_builtins(replacement)})

        def work(connection: Connection) -> Fitted | Refused | None:
            answer = keys.answered(connection, who, key, content)
            if answer is not None:
                known = records.history(connection, order=identity)
                return answer if isinstance(answer, Refused) else known[len(known) - 1 - int(answer)]
            order = orders.find(connection, identity)
            if order is None:
                return None
            number = len(records.history(connection, order=identity))
            fitted = self._fitted(connection, order, replacement, pole, who, reason)
            keys.remember(connection, who, key, content, str(number), self._around.clock.wall_ms())
            return fitted

        try:
            fitted = await self._around.ledger.write(work)
        except _Changed as changed:
            return changed.refused
        if isinstance(fitted, Fitted):
            if fitted.new_device:
                self._streets.moved()
                self._around.events.publish(InventoryChanged("luminaires"))
            await self.tell()
        return fitted

    async def tell(self) -> None:
        """Let the other rooms begin anew with what was replaced: learned gain, burning hours, constant light."""
        for number, fitted in await self._around.ledger.read(records.untold):
            await self._told(fitted)
            await self._around.ledger.write(partial(records.told, number=number, time_ms=self._around.clock.civil_ms()))

    async def _told(self, fitted: Fitted) -> None:
        reason = f"{fitted.part} put in with {fitted.order}"
        element = Element(ElementKind(fitted.element_kind), fitted.new_device or fitted.element)
        unknown = await self._around.diagnosis.desk.part_replaced([element], DiagnosisWho(RULE, reason))
        if unknown:
            log.info("%s was replaced and diagnosis does not know it", fitted.element)
        parts = await self._around.ledger.read(records.parts)
        part = parts.get(fitted.part)
        if part is not None and part.kind is PartKind.LAMP:
            lamps = (await self._streets.get()).lamps(element)
            lamp = lamps[0].id if lamps else fitted.element
            await self._around.proof.element_replaced(lamp, LightingWho(RULE, reason))

    def _fitted(
        self, connection: Connection, order: Order, replacement: Replacement, pole: str, who: str, reason: str
    ) -> Fitted:
        part = records.parts(connection).get(replacement.part)
        if part is None:
            raise _Changed(Refused("body.part", "known", f"there is no part {replacement.part[:64]!r}", conflict=True))
        in_store = records.stock(connection).get((part.id, replacement.batch), 0.0)
        wrong = cannot_take(part.id, replacement.batch, replacement.quantity, in_store)
        if wrong is not None:
            raise _Changed(wrong)
        now_ms = self._around.clock.civil_ms()
        move = Move(part.id, -replacement.quantity, replacement.batch, order.id, now_ms, who, reason)
        records.add_move(connection, move)
        old = self._exchanged(connection, order, replacement, part)
        fitted = Fitted(
            element_kind=replacement.element.kind.value,
            element=replacement.element.id,
            pole=pole,
            part=part.id,
            at_ms=now_ms,
            who=who,
            order=order.id,
            batch=replacement.batch,
            serial=replacement.serial,
            model=part.model or "",
            quantity=replacement.quantity,
            old_device=old,
            new_device=replacement.new_device,
            warranty_until_ms=warranty_until_ms(part, now_ms),
        )
        of_a_lamp = replacement.element.kind is ElementKind.LAMP and part.kind in LEARNED_ANEW
        records.add_fitted(connection, fitted, told_ms=0 if of_a_lamp else now_ms)
        detail = {"part": part.id, "batch": fitted.batch, "serial": fitted.serial, "new_device": fitted.new_device}
        self._audit(connection, who, "order.part-fitted", f"order:{order.id}", reason, detail)
        return fitted

    def _exchanged(self, connection: Connection, order: Order, replacement: Replacement, part: Part) -> str:
        """The luminaire with its new controller and model in the inventory; the controller it had."""
        if not replacement.new_device and not (part.model and part.kind is PartKind.LAMP):
            return ""
        name = replacement.element.id
        every = inventory_store.every(connection, Luminaire)
        found = next((one for one in every if isinstance(one, Luminaire) and name in {one.device, one.id}), None)
        if found is None:
            if replacement.new_device:
                raise _Changed(
                    Refused(
                        "body.element", "known", f"there is no luminaire {name[:64]!r} in the inventory", conflict=True
                    )
                )
            return ""
        taken = any(isinstance(one, Luminaire) and one.device == replacement.new_device for one in every)
        if replacement.new_device and taken:
            detail = f"{replacement.new_device} is the controller of another luminaire"
            raise _Changed(Refused("body.new_device", "free", detail, conflict=True))
        model = part.model if part.kind is PartKind.LAMP and part.model else found.model
        device = replacement.new_device or found.device
        inventory_store.put(connection, [msgspec.structs.replace(found, device=device, model=model)])
        if replacement.new_device and order.element == found.device:
            orders.save(connection, msgspec.structs.replace(order, element=replacement.new_device))
        return found.device or ""

    def _audit(
        self, connection: Connection, who: str, action: str, subject: str, reason: str, detail: Mapping[str, object]
    ) -> None:
        audit.record(
            connection,
            who=who,
            action=action,
            subject=subject,
            reason=reason,
            result="done",
            time_ms=self._around.clock.wall_ms(),
            detail=detail,
        )
