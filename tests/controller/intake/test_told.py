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
    ],
)
def test_what_needs_a_person_raises_an_alarm(event, detail, key, words):
    told = telling("gw-7", Event("e", 1_763_650_000_000, event, detail=detail))
    assert told is not None
    assert told.key == key
    assert words in (told.text or "")


def test_a_spool_that_works_again_clears_its_alarm():
    told = telling("gw-7", Event("e", 1_763_650_000_000, "spool.ok"))
    assert told is not None
    assert (told.key, told.text) == ("spool:gw-7", None)


@pytest.mark.parametrize("event", ["gateway.started", "local.override", "command.refused.expired", "device.silent"])
def test_the_rest_only_stands_in_the_list(event):
    assert telling("gw-7", Event("e", 1_763_650_000_000, event)) is None
