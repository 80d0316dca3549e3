"""Events a person must be told of."""

import pytest

from lamplighter_contract.wire.events import Event
from lamplighter_controller.intake.told import telling


@pytest.mark.parametrize(
    ("event", "detail", "key", "words"),
    [
        ("spool.full", {}, "spool:gw-7", "takes nothing more"),
        ("spool.failed", {}, "spool:gw-7", "takes nothing more"),
        ("spool.set_aside", {"file": "spool.sqlite.bad-1"}, "spool-set-aside:gw-7", "spool.sqlite.bad-1"),
        ("ledger.set_aside", {"file": "commands.sqlite.bad-1"}, "ledger-set-aside:gw-7", "commands.sqlite.bad-1"),
        ("command.refused.signature", {"detail": "the signature does not fit"}, "forged:gw-7", "does not fit"),
        ("command.refused.key", {"detail": "x"}, "forged:gw-7", "not ours"),
        ("command.refused.retained", {"detail": "x"}, "forged:gw-7", "not ours"),
        ("plan.refused.capacity", {"detail": "bus b-1: lamp-9 is too late"}, "plan:gw-7", "lamp-9"),
        ("plan.refused.signature", {"detail": "x"}, "plan:gw-7", "the one in force goes on"),
        ("plan.unusable", {"detail": "lost"}, "plan:gw-7", "full light: lost"),
    ],
)
def test_what_needs_a_person_raises_an_alarm(event, detail, key, words):
    told = telling("gw-7", Event("e", 1_763_650_000_000, event, detail=detail))
    assert told is not None
    assert told.key == key
    assert words in (told.text or "")


@pytest.mark.parametrize(("event", "key"), [("spool.ok", "spool:gw-7"), ("plan.accepted", "plan:gw-7")])
def test_what_works_again_clears_its_alarm(event, key):
    told = telling("gw-7", Event("e", 1_763_650_000_000, event))
    assert told is not None
    assert (told.key, told.text) == (key, None)


@pytest.mark.parametrize(
    "event", ["gateway.started", "local.override", "command.refused.expired", "plan.refused.key", "device.silent"]
)
def test_the_rest_only_stands_in_the_list(event):
    assert telling("gw-7", Event("e", 1_763_650_000_000, event)) is None
