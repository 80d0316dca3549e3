"""The plan: everything a gateway needs to keep its lamps right by itself, as one signed, versioned document."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.light.adaptive import Adaptive, Device, Devices, Groups
from lamplighter_contract.light.plans.calendars import Calendar
from lamplighter_contract.light.plans.programs import Name, Percent, Program, RoadClass
from lamplighter_contract.light.scenes import Scene
from lamplighter_contract.light.signals import Time
from lamplighter_contract.light.sky.moments import Minutes
from lamplighter_contract.wire.bounded import read_object
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES
from lamplighter_contract.wire.version import WIRE_VERSION

Whole = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
Scale = Annotated[float, msgspec.Meta(ge=1, le=100)]

_MOST_SHOWN = 8


class Group(msgspec.Struct, frozen=True):
    """Lamps that are addressed by one name."""

    id: Name
    devices: Devices


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A calendar for lamps on roads of a class; one for a device by name goes before one for a group it is in."""

    calendar: Name
    road_class: RoadClass | None = None
    groups: Groups = ()
    devices: Devices = ()


class Circuit(msgspec.Struct, frozen=True, omit_defaults=True):
    """A contactor: closed `lead_min` before its lamps are lit and `lag_min` after.

    Lit by its own calendar, or without one by those of the lamps on it; a lamp that is wanted lit keeps it closed.
    """

    id: Device
    calendar: Name | None = None
    lead_min: Minutes = 15.0
    lag_min: Minutes = 15.0
    lamps: Devices = ()


class Output(msgspec.Struct, frozen=True, omit_defaults=True):
    """Scales the levels of lamps: those built too strong to their virtual output, new ones to constant light."""

    virtual_percent: Scale = 100.0
    constant_percent: Scale = 100.0
    groups: Groups = ()
    devices: Devices = ()


class PlanOverride(msgspec.Struct, frozen=True, omit_defaults=True):
    """A level until a civil time; its id and seq are those of its command. An emergency stands above all others."""

    id: Name
    seq: Whole
    issued: Time
    level_percent: Percent
    until: Time
    emergency: bool = False
    groups: Groups = ()
    devices: Devices = ()


class Plan(msgspec.Struct, frozen=True):
    """Desired state of one gateway; overrides at or below `as_of_seq` that it does not list have ended."""

    gateway: Device
    version: Whole
    as_of_seq: Whole
    zone: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    programs: Annotated[tuple[Program, ...], msgspec.Meta(max_length=500)] = ()
    calendars: Annotated[tuple[Calendar, ...], msgspec.Meta(max_length=200)] = ()
    circuits: Annotated[tuple[Circuit, ...], msgspec.Meta(max_length=2_000)] = ()
    groups: Annotated[tuple[Group, ...], msgspec.Meta(max_length=1_000)] = ()
    scenes: Annotated[tuple[Scene, ...], msgspec.Meta(max_length=200)] = ()
    adaptive: Annotated[tuple[Adaptive, ...], msgspec.Meta(max_length=100)] = ()
    assignments: Annotated[tuple[Assignment, ...], msgspec.Meta(max_length=10_000)] = ()
    outputs: Annotated[tuple[Output, ...], msgspec.Meta(max_length=10_000)] = ()
    overrides: Annotated[tuple[PlanOverride, ...], msgspec.Meta(max_length=10_000)] = ()
    v: int = WIRE_VERSION
    generation: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0  # of the handover that has to be taken before it

    def as_json(self) -> dict[str, Any]:
        """The plan as plain JSON values, ready to be signed."""
        plain: dict[str, Any] = msgspec.to_builtins(self, order="deterministic")
        return plain


def encode_plan(plan: Plan) -> bytes:
    """The plan as it stands on disk; on the wire it is signed by `Signer.sign(plan.as_json())`."""
    return msgspec.json.encode(plan, order="deterministic")


def decode_plan(payload: bytes) -> Plan | Refusal:
    """Read a plan whose signature was checked or that comes from our own disk; unknown fields are ignored."""
    document = read_object(payload, MAX_DOCUMENT_BYTES)
    return document if isinstance(document, Refusal) else read_plan(document)


def read_plan(document: Mapping[str, Any]) -> Plan | Refusal:
    """A typed plan from the raw object (its signature already checked), every name in it resolved."""
    if document.get("v") != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {str(document.get('v'))[:20]}")
    try:
        plan = msgspec.convert(document, Plan)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, f"plan: {error}")
    wrong = list(broken(plan))
    if not wrong:
        return plan
    more = f" (and {len(wrong) - _MOST_SHOWN} more)" if len(wrong) > _MOST_SHOWN else ""
    return Refusal(Reason.MALFORMED, "plan: " + "; ".join(wrong[:_MOST_SHOWN]) + more)


def unfit(plan: Plan, gateway: str, version_in_force: int) -> Refusal | None:
    """Why a gateway does not take a plan: it is another's, or older than the one in force."""
    if plan.gateway != gateway:
        return Refusal(Reason.ADDRESS, f"the plan is for {plan.gateway}")
    if plan.version < version_in_force:
        return Refusal(Reason.PLAN_VERSION, f"version {plan.version}, {version_in_force} is in force")
    return None


def broken(plan: Plan) -> Iterator[str]:
    """Whatever makes a plan unusable: an unknown zone, names that stand twice, names of nothing."""
    if not known_zone(plan.zone):
        yield f"zone is {plan.zone!r}, expected a name such as Asia/Shanghai"
    for what, things in (
        ("program", plan.programs),
        ("calendar", plan.calendars),
        ("circuit", plan.circuits),
        ("group", plan.groups),
        ("scene", plan.scenes),
        ("adaptive rule", plan.adaptive),
        ("override", plan.overrides),
    ):
        yield from (f"{what} {name} stands twice" for name in _twice(thing.id for thing in things))
    yield from _loose_ends(plan)


def known_zone(name: str) -> bool:
    """True when the zone's rules are at hand."""
    try:
        ZoneInfo(name)
    except (ValueError, LookupError, OSError):  # a malformed name, an unknown one, a directory of zones
        return False
    return True


def _twice(names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def _loose_ends(plan: Plan) -> Iterator[str]:
    programs = {program.id for program in plan.programs}
    calendars = {calendar.id for calendar in plan.calendars}
    for calendar in plan.calendars:
        yield from _calendar_ends(calendar, programs)
    for what, used in (
        *((f"assignment {number}", one.calendar) for number, one in enumerate(plan.assignments, start=1)),
        *((f"circuit {one.id}", one.calendar) for one in plan.circuits if one.calendar is not None),
    ):
        if used not in calendars:
            yield f"{what}: no calendar {used}"
    groups = {group.id for group in plan.groups}
    for what, names in _addressed(plan):
        yield from (f"{what}: no group {name}" for name in names if name not in groups)


def _calendar_ends(calendar: Calendar, programs: set[str]) -> Iterator[str]:
    if calendar.default_program not in programs:
        yield f"calendar {calendar.id}: no program {calendar.default_program}"
    yield from (f"calendar {calendar.id}: rule {name} stands twice" for name in _twice(r.id for r in calendar.rules))
    for rule in calendar.rules:
        if rule.program not in programs:
            yield f"calendar {calendar.id}, rule {rule.id}: no program {rule.program}"
        unknown = rule.holidays - calendar.holidays.keys()
        yield from (f"calendar {calendar.id}, rule {rule.id}: no list of holidays {name}" for name in sorted(unknown))


def _addressed(plan: Plan) -> Iterator[tuple[str, tuple[str, ...]]]:
    for number, assignment in enumerate(plan.assignments, start=1):
        yield f"assignment {number}", assignment.groups
    for number, output in enumerate(plan.outputs, start=1):
        yield f"output {number}", output.groups
    for rule in plan.adaptive:
        yield f"adaptive rule {rule.id}", rule.groups
    for override in plan.overrides:
        yield f"override {override.id}", override.groups
    for scene in plan.scenes:
        yield from ((f"scene {scene.id}", cue.groups) for cue in scene.cues)
