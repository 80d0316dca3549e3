"""What may be asked of a terminal: arguments one by one, and together."""

import pytest

from lamplighter_contract.commands.command import RULES, Operation, check_args
from lamplighter_contract.truck import orders

NOW = 1_763_650_000_000
HERE = [36.65, 117.12]
FENCE = {"fence": 7, "shape": "circle", "points": [HERE], "radius_m": 200}


@pytest.mark.parametrize(
    ("operation", "args"),
    [
        (Operation.TRUCK_TRACK, {"interval_s": 5, "seconds": 600}),
        (Operation.TRUCK_TRACK, {"interval_s": 0}),
        (Operation.TRUCK_PHOTO, {"channel": 1}),
        (Operation.TRUCK_CONFIRM_ALARM, {"alarms": ["emergency", "area"]}),
        (Operation.TRUCK_PARAMETERS, {}),
        (Operation.TRUCK_PARAMETERS, {"ids": [0x55, 0xF364]}),
        (Operation.TRUCK_SET_PARAMETERS, {"values": {"report_s": 10, "overspeed_kmh": 60}}),
        (Operation.TRUCK_FENCE, FENCE),
        (Operation.TRUCK_FENCE, {"fence": 1, "shape": "rectangle", "points": [HERE, [36.6, 117.2]]}),
        (Operation.TRUCK_FENCE, {"fence": 1, "shape": "polygon", "points": [HERE] * 3, "meaning": "ground"}),
        (Operation.TRUCK_FENCE, {"fence": 1, "shape": "route", "points": [HERE] * 2, "width_m": 60}),
        (Operation.TRUCK_UNFENCE, {"shape": "route"}),
        (Operation.TRUCK_LIMIT_SPEED, {"limit_kmh": 40, "until": NOW, "closed": [[HERE] * 3]}),
        (Operation.TRUCK_CONTROL, {"action": "reset"}),
    ],
)
def test_what_is_right_is_taken(operation, args):
    assert check_args(operation, args) is None


@pytest.mark.parametrize(
    ("operation", "args", "word"),
    [
        (Operation.TRUCK_TRACK, {"interval_s": 0, "seconds": 60}, "interval_s is 0"),
        (Operation.TRUCK_TRACK, {"interval_s": 1.5}, "whole number"),
        (Operation.TRUCK_PHOTO, {"channel": 0}, "from 1 to 64"),
        (Operation.TRUCK_CONFIRM_ALARM, {"alarms": []}, "emergency"),
        (Operation.TRUCK_CONFIRM_ALARM, {"alarms": [3]}, "emergency"),
        (Operation.TRUCK_PARAMETERS, {"ids": [0]}, "numbers of parameters"),
        (Operation.TRUCK_PARAMETERS, {"ids": list(range(1, 40))}, "at most 32"),
        (Operation.TRUCK_SET_PARAMETERS, {"values": {"server": 1}}, "heartbeat_s"),
        (Operation.TRUCK_SET_PARAMETERS, {"values": {"report_s": 0}}, "report_s"),
        (Operation.TRUCK_FENCE, FENCE | {"points": [HERE, HERE]}, "circle of 1 points"),
        (Operation.TRUCK_FENCE, FENCE | {"shape": "polygon"}, "3 to 100"),
        (Operation.TRUCK_FENCE, FENCE | {"width_m": 30}, "width_m with a route"),
        (Operation.TRUCK_FENCE, FENCE | {"points": [[117.12, 36.65]]}, "latitude"),
        (Operation.TRUCK_FENCE, FENCE | {"points": [[float("nan"), 117.0]]}, "latitude"),
        (Operation.TRUCK_FENCE, FENCE | {"name": "a\nb"}, "name"),
        (Operation.TRUCK_CONTROL, {"action": "off"}, "reset"),
        (Operation.TRUCK_LIMIT_LIFT, {"until": NOW, "closed": [[HERE, HERE]]}, "outlines"),
        (Operation.TRUCK_LIMIT_LIFT, {"until": NOW, "closed": [[HERE] * 3] * 41}, "outlines"),
        (Operation.TRUCK_FENCE, FENCE | {"begins": "22:00"}, "together"),
        (Operation.TRUCK_FENCE, FENCE | {"begins": "22:00", "ends": "25:00"}, "time of day"),
        (Operation.TRUCK_UNFENCE, {"shape": "star"}, "circle"),
    ],
)
def test_what_is_wrong_is_refused_with_what_was_expected(operation, args, word):
    refusal = check_args(operation, args)
    assert refusal is not None
    assert word in refusal.detail


def test_nothing_that_may_be_set_limits_a_truck_or_loses_it():
    """A terminal goes on calling its platform, whatever is set; the speed that may be set raises an alarm alone."""
    assert not {"server", "apn", "port", "phone"} & {word for name in orders.PARAMETERS for word in name.split("_")}
    assert tuple(orders.Action) == ("reset",)
    assert not {"limit_kmh", "until"} & {*RULES[Operation.TRUCK_FENCE].needs, *RULES[Operation.TRUCK_FENCE].allows}
