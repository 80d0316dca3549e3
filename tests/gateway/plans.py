"""Plans for the lamps of the rig."""

from typing import Any

from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.light.plans import presets
from lamplighter_contract.light.plans.calendars import Calendar
from lamplighter_contract.light.plans.plan import Assignment, Output, Plan, PlanOverride
from lamplighter_contract.light.plans.programs import Levels, Program, RoadClass
from lamplighter_contract.light.signals import Signal, SignalsDocument
from tests.gateway.rig import GATEWAY, KEY, LAMPS

JINAN: dict[str, Any] = {"zone": "Asia/Shanghai", "latitude": 36.67, "longitude": 117.0}


def steady(version: int = 1, level_percent: float = 70, **changes: Any) -> Plan:
    """Every lamp at one level, day and night."""
    fields: dict[str, Any] = {
        "gateway": GATEWAY,
        "version": version,
        "as_of_seq": 0,
        **JINAN,
        "programs": (Program("steady", Levels(level_percent)),),
        "calendars": (Calendar("all", "steady"),),
        "assignments": (Assignment("all", RoadClass.MAIN, devices=LAMPS),),
    }
    return Plan(**(fields | changes))


def nights(*devices: str, **changes: Any) -> Plan:
    """Dusk, saving mode by a ramp, dawn, after the presets; the last lamp at four fifths."""
    fields: dict[str, Any] = {
        "gateway": GATEWAY,
        "version": 1,
        "as_of_seq": 0,
        **JINAN,
        "programs": presets.PROGRAMS,
        "calendars": presets.CALENDARS,
        "assignments": (
            Assignment("seasons", RoadClass.MAIN, devices=devices[:1]),
            Assignment("seasons", RoadClass.ALLEY, devices=devices[1:]),
        ),
        "outputs": (Output(80, devices=devices[-1:]),),
    }
    return Plan(**(fields | changes))


def signed(plan: Plan, signer: Signer = KEY) -> bytes:
    return signer.sign(plan.as_json())


def signals(*of: Signal, version: int = 1, gateway: str = GATEWAY) -> bytes:
    return KEY.sign(SignalsDocument(gateway, version, of).as_json())


def override(
    identity: str, seq: int, level_percent: float, until_ms: int, *devices: str, **changes: Any
) -> PlanOverride:
    return PlanOverride(identity, seq, until_ms - 1, level_percent, until_ms, devices=devices, **changes)
