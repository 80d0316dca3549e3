"""How an order begins: how urgent it is, when it is due, what will prove it. Pure."""

from dataclasses import dataclass, field
from typing import Final

from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.diagnosis.incidents.clock import Sla
from lamplighter_controller.maintenance.orders.order import Order, ProofKind, State

BUSY_ROADS: Final = frozenset({RoadClass.EXPRESSWAY.value, RoadClass.MAIN.value})
PLANNED, NEXT_NIGHT = 2, 3
LEAKS: Final = frozenset({"leak", "protector_bad"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an element is; empty and None where nobody has entered it.

    Args:
        devices: controllers of the lamps that hang on it, the proof is asked of them.
        circuits: contactors that feed it and that a gateway serves, which a lock covers.
    """

    road: str = ""
    road_class: str = ""
    district: str = ""
    pole: str = ""
    cabinet: str = ""
    latitude: float | None = None
    longitude: float | None = None
    devices: tuple[str, ...] = ()
    circuits: tuple[str, ...] = ()
    meter: str = ""


NOWHERE: Final = Place()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What asks for an order; times civil epoch ms, 0 = not known."""

    element: Element
    class_id: str
    severity: int
    title: str = ""
    onset_ms: int = 0
    detected_ms: int = 0
    place: Place = field(default=NOWHERE)


def opened(identity: str, wanted: Wanted, sla: Sla, now_ms: int) -> Order:
    """A new order."""
    priority, place = priority_of(wanted.severity, wanted.place.road_class), wanted.place
    detected_ms = min(wanted.detected_ms or now_ms, now_ms)
    return Order(
        id=identity,
        element_kind=wanted.element.kind,
        element=wanted.element.id,
        class_id=wanted.class_id,
        severity=wanted.severity,
        priority=priority,
        state=State.NEW,
        created_ms=now_ms,
        changed_ms=now_ms,
        title=wanted.title,
        road=place.road,
        road_class=place.road_class,
        district=place.district,
        pole=place.pole,
        cabinet=place.cabinet,
        latitude=place.latitude,
        longitude=place.longitude,
        onset_ms=min(wanted.onset_ms or detected_ms, detected_ms),
        detected_ms=detected_ms,
        due_ms=sla.due_ms(priority, detected_ms),
        proof=kind_of_proof(place),
    )


def priority_of(severity: int, road_class: str) -> int:
    """What can wait for three days elsewhere is done by the next night on a busy road."""
    return NEXT_NIGHT if severity == PLANNED and road_class in BUSY_ROADS else severity


def kind_of_proof(place: Place) -> ProofKind:
    """Lamps that speak prove it themselves; else the meter of their cabinet; else a photo and a second person."""
    if place.devices:
        return ProofKind.TELEMETRY
    return ProofKind.METER if place.meter else ProofKind.PHOTO


def more_urgent(order: Order, wanted: Wanted, sla: Sla) -> dict[str, int]:
    """What changes of an open order when something worse is told of the same element; a due time only comes nearer."""
    priority = priority_of(wanted.severity, order.road_class)
    if priority <= order.priority:
        return {}
    due_ms = sla.due_ms(priority, wanted.detected_ms or order.detected_ms)
    nearer = min((one for one in (order.due_ms, due_ms + order.paused_ms) if one), default=0)
    return {"severity": max(order.severity, wanted.severity), "priority": priority, "due_ms": nearer}


def needs_safety(order: Order) -> bool:
    """Somebody may be hurt by current: the steps are signed before the work is called done."""
    return order.class_id in LEAKS or order.element_kind is ElementKind.PROTECTOR
