"""Events at gateways as the audit trail has them."""

import pytest

from lamplighter_contract.wire.events import Event
from lamplighter_controller.intake.trail import BURST, PER_S, Flood, concerns, entry

NOW_MS = 1_763_650_000_000


@pytest.mark.parametrize(
    ("event", "action", "reason"),
    [
        ("command.refused.signature", "command.refuse", "signature: in words"),
        ("plan.refused.capacity", "plan.refuse", "capacity: in words"),
        ("keys.refused.key", "keys.refuse", "key: in words"),
    ],
)
def test_a_refusal_is_told_with_its_reason(event, action, reason):
    happened = Event("e", NOW_MS, event, detail={"detail": "in words"}, count=20)
    assert concerns(happened)
    told = entry("gw-1", happened, NOW_MS + 5)
    assert (told.who, told.subject, told.time_ms) == ("gateway:gw-1", "gateway:gw-1", NOW_MS + 5)
    assert (told.action, told.result, told.reason) == (action, "refused", reason)
    assert told.detail["count"] == 20


def test_what_a_person_did_beside_the_gateway_is_told_with_their_name():
    detail: dict[str, str | float | int | bool | None] = {
        "by": "local:li",
        "level_percent": 75.0,
        "until": NOW_MS + 60_000,
    }
    happened = Event("e", NOW_MS, "local.override", "lamp-2", detail)
    assert concerns(happened)
    told = entry("gw-1", happened, NOW_MS)
    assert (told.who, told.action, told.subject) == ("gw-1/local:li", "override.local", "device:lamp-2")
    assert told.detail["level_percent"] == 75.0


@pytest.mark.parametrize(
    ("event", "device", "action", "subject"),
    [
        ("commission.begun", None, "commission.begin", "gateway:gw-1"),
        ("commission.feeder", "circuit-1", "commission.switch", "device:circuit-1"),
        ("commission.ended", None, "commission.end", "gateway:gw-1"),
    ],
)
def test_an_installers_steps_stand_in_the_trail(event, device, action, subject):
    happened = Event("e", NOW_MS, event, device, {"by": "local:li"})
    assert concerns(happened)
    told = entry("gw-1", happened, NOW_MS)
    assert (told.who, told.action, told.subject) == ("gw-1/local:li", action, subject)


@pytest.mark.parametrize("event", ["commission.pole", "local.identify", "door.open", "plan.accepted", "spool.full"])
def test_the_rest_is_none_of_its_business(event):
    assert not concerns(Event("e", NOW_MS, event))


def test_a_flood_of_one_gateway_leaves_room_for_the_others_and_ends():
    flood = Flood()
    admitted = sum(flood.admits("gw-1", second / 5) for second in range(5_000))
    assert admitted == pytest.approx(BURST + 1_000 * PER_S, abs=2)
    assert flood.admits("gw-2", 1_000.0)
    assert flood.admits("gw-1", 1_000.0 + 1 / PER_S)
