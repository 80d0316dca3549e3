"""Levels by hand and shows in what was required, and when a level by hand ended."""

import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.states import CommandState
from lamplighter_controller.commands.model import Order, Part, Request
from lamplighter_controller.lighting.overrides.history import past
from lamplighter_controller.lighting.proof.light.by_hand import Stretch, overlaid

PLANNED = ((0, 0.0), (100, 100.0), (200, 50.0), (300, 0.0))


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([], PLANNED),
        ([Stretch(120, 150, 0)], ((0, 0), (100, 100), (120, 0), (150, 100), (200, 50), (300, 0))),
        ([Stretch(120, 250, 0)], ((0, 0), (100, 100), (120, 0), (250, 50), (300, 0))),
        ([Stretch(120, 200, 0)], ((0, 0), (100, 100), (120, 0), (200, 50), (300, 0))),
        ([Stretch(-50, 100, 80)], ((0, 40), (100, 100), (200, 50), (300, 0))),
        ([Stretch(350, 900, 80)], (*PLANNED, (350, 40))),
        ([Stretch(350, 900, 100, emergency=True)], (*PLANNED, (350, 100))),
        (
            [Stretch(120, 250, 0), Stretch(150, 180, 100)],
            ((0, 0), (100, 100), (120, 0), (150, 50), (180, 0), (250, 50), (300, 0)),
        ),
        ([Stretch(-9, 0, 1), Stretch(400, 500, 1)], PLANNED),
    ],
)
def test_the_strongest_is_last_and_what_is_under_it_comes_back(stretches, expected):
    assert overlaid(PLANNED, stretches, 0.5, 400) == expected


def order(seq: int, op: Operation, *, state: CommandState = CommandState.VERIFIED, level: float = 0.0) -> Order:
    args = {"level_percent": level, "until": 9_000} if op is Operation.LIGHT_SET else {}
    request = Request(f"r-{seq}", op, args, "", (), "wang", None, "", seq * 100, seq * 100 + 60)
    return Order(f"c-{seq}", request, "gw-1", seq, state, parts={"lamp-1": Part("lamp-1", state)})


def ends(*orders: Order, ended: frozenset[str] = frozenset()) -> list[tuple[str, int | None]]:
    return [(one.request, one.ended_ms) for one in past(orders, ended).get("lamp-1", [])]


def test_a_resume_ends_what_was_before_it_and_nothing_after():
    given = [order(seq, Operation.LIGHT_SET) for seq in (1, 2, 4)]
    assert ends(*given, order(3, Operation.LIGHT_RESUME)) == [("r-1", 300), ("r-2", 300), ("r-4", None)]


def test_what_no_gateway_took_never_was():
    assert ends(order(1, Operation.LIGHT_SET, state=CommandState.REJECTED)) == []
    assert ends(order(1, Operation.LIGHT_SET), order(2, Operation.LIGHT_RESUME, state=CommandState.EXPIRED)) == [
        ("r-1", None)
    ]


def test_what_ended_unseen_ends_as_the_newer_one_begins():
    given = [order(1, Operation.LIGHT_SET), order(2, Operation.LIGHT_SET)]
    assert ends(*given, ended=frozenset({"r-1"})) == [("r-1", 200), ("r-2", None)]
