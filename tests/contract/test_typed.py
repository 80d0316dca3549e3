"""The quick way through a frame and the careful one come to the same."""

from copy import deepcopy

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.quantities import QUANTITIES, Form, Kind, Quantity
from lamplighter_contract.wire.frame import ReadingsFrame, _piecewise, decode_frame
from lamplighter_contract.wire.typed import read_typed

TIME_MS = 1_763_650_000_000
KINDS = [kind for kind in Kind if QUANTITIES[kind]]


def cell(known: Quantity) -> st.SearchStrategy:
    if known.form is Form.FLAG:
        return st.booleans()
    if known.form is Form.BITS:
        return st.integers(0, 2**53 - 1)
    if known.form is Form.CHOICE:
        return st.sampled_from(known.choices)
    return st.floats(known.minimum, known.maximum) | st.integers(int(known.minimum) + 1, int(known.maximum))


@st.composite
def good(draw) -> dict[str, object]:
    kind, rows = draw(st.sampled_from(KINDS)), draw(st.integers(0, 4))
    names = draw(st.lists(st.sampled_from(sorted(QUANTITIES[kind])), unique=True, max_size=5))
    column = {name: st.lists(st.none() | cell(QUANTITIES[kind][name]), min_size=rows, max_size=rows) for name in names}
    return {
        "v": 1,
        "seq": draw(st.integers(0, 2**53 - 1)),
        "boot": "boot-1",
        "sent": TIME_MS,
        "kind": kind,
        "device": [f"{kind}-{row}" for row in range(rows)],
        "time": [TIME_MS] * rows,
        **{name: draw(values) for name, values in column.items()},
        **draw(st.sampled_from([{}, {"quality": [4] * rows}])),
    }


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "raised", "x" * 70, "Lamp_1", [], {}, [[1]], 1.0, 5e300]),
)


@given(good())
def test_a_frame_in_order_is_read_in_one_pass_and_alike(document):
    payload = orjson.dumps(document)
    assert read_typed(payload) is not None
    assert decode_frame(payload) == _piecewise(payload)


@given(good(), st.data())
def test_whatever_is_changed_in_a_frame_both_ways_agree(document, data):
    changed = deepcopy(document)
    key = data.draw(st.sampled_from([*document, "unknown_thing", "desired_percent"]))
    value = changed.get(key)
    if isinstance(value, list) and value and data.draw(st.booleans()):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(odd)
    else:
        changed[key] = data.draw(odd | st.lists(odd, max_size=4))
    payload = orjson.dumps(changed)
    assert decode_frame(payload) == _piecewise(payload)


@pytest.mark.parametrize(
    "change",
    [{"extra": [1]}, {"level_percent": [60.5, 101]}, {"device": ["lamp-1", "Lamp 2"]}, {"time": [TIME_MS]}, {"v": 2}],
)
def test_what_is_out_of_order_is_left_to_the_careful_way(change):
    document = {"v": 1, "seq": 1, "boot": "b", "sent": 1, "kind": "lamp", "device": ["lamp-1", "lamp-2"]}
    document |= {"time": [TIME_MS] * 2, "level_percent": [60, None], "switched_on": [True, None]}
    assert isinstance(decode_frame(orjson.dumps(document)), ReadingsFrame)
    assert read_typed(orjson.dumps(document)) is not None
    assert read_typed(orjson.dumps(document | change)) is None


@given(st.binary(max_size=60))
def test_no_bytes_raise(payload):
    assert read_typed(payload) is None
