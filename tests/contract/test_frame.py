"""Frames: what is placed, what is refused, and that nothing is lost between the two."""

import zlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.commands.results import DeviceResult, Result
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import ContractError, Reason, Refusal
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.events import Event
from lamplighter_contract.wire.frame import (
    Envelope,
    EventsFrame,
    ReadingsFrame,
    ResultsFrame,
    decode_body,
    decode_frame,
    events_body,
    readings_body,
    results_body,
    seal,
)
from lamplighter_contract.wire.limits import MAX_FRAME_ROWS
from lamplighter_contract.wire.packing import PRESET, packed

ENVELOPE = Envelope(81_734, "boot-1", 1_763_650_000_123)
T = 1_763_649_998_000
DICTIONARY = 767_552_459


def frame(**changes: object) -> bytes:
    """A good lamp frame with some keys changed; None takes a key out."""
    document = {
        "v": 1,
        "seq": 81_734,
        "boot": "boot-1",
        "kind": "lamp",
        "sent": 1_763_650_000_123,
        "device": ["lamp-7-001", "lamp-7-002"],
        "time": [T, T],
        "level_percent": [60, 60],
        "power_w": [57.1, None],
        "quality": [0, 4],
    } | changes
    return orjson.dumps({key: value for key, value in document.items() if value is not None})


def readings(payload: bytes) -> ReadingsFrame:
    decoded = decode_frame(payload)
    assert isinstance(decoded, ReadingsFrame)
    return decoded


def test_a_good_frame_is_placed_whole():
    decoded = readings(frame())
    assert decoded.envelope == ENVELOPE
    assert decoded.kind is Kind.LAMP
    assert decoded.columns == {"level_percent": [60, 60], "power_w": [57.1, None]}
    assert decoded.quality == [0, 4]
    assert decoded.refused == ()


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.MALFORMED),
        (b"[]", Reason.MALFORMED),
        (b"{", Reason.MALFORMED),
        (b"\xff\xfe", Reason.MALFORMED),
        (b"[" * 100_000, Reason.MALFORMED),
        (b'{"v":1,"a":' + b"[" * 40 + b"]" * 40 + b"}", Reason.MALFORMED),
        (b" " * 300_000, Reason.TOO_LARGE),
        (zlib.compress(b" " * 10_000_000), Reason.TOO_LARGE),
        (zlib.compress(b"{}")[:-4], Reason.MALFORMED),
        (b"\x78\x9cgarbage", Reason.MALFORMED),
        (frame(v=2), Reason.VERSION),
        (frame(v=None), Reason.VERSION),
        (frame(seq=-1), Reason.MALFORMED),
        (frame(seq=True), Reason.MALFORMED),
        (frame(seq=1.5), Reason.MALFORMED),
        (frame(boot=None), Reason.MALFORMED),
        (frame(boot="x" * 65), Reason.MALFORMED),
        (frame(sent=None), Reason.MALFORMED),
        (frame(kind="toaster"), Reason.UNKNOWN_KIND),
        (frame(kind=[]), Reason.UNKNOWN_KIND),
        (frame(device="lamp-7-001"), Reason.LENGTH),
        (frame(time=[T]), Reason.LENGTH),
        (frame(device=["a"] * 1001, time=[T] * 1001), Reason.TOO_LARGE),
    ],
)
def test_a_frame_that_cannot_be_understood_is_refused_whole(payload: bytes, reason: Reason):
    refusal = decode_frame(payload)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason
    assert refusal.detail


@pytest.mark.parametrize(
    ("changes", "reason", "kept"),
    [
        ({"bogus": [1, 2]}, Reason.UNKNOWN_QUANTITY, {"level_percent", "power_w"}),
        ({"power_w": [1]}, Reason.LENGTH, {"level_percent"}),
        ({"power_w": "many"}, Reason.LENGTH, {"level_percent"}),
        ({"power_w": ["57", "1"]}, Reason.WRONG_TYPE, {"level_percent"}),
        ({"power_w": [True, None]}, Reason.WRONG_TYPE, {"level_percent"}),
        ({"power_w": [[1], {}]}, Reason.WRONG_TYPE, {"level_percent"}),
        ({"switched_on": [1, 0]}, Reason.WRONG_TYPE, {"level_percent", "power_w"}),
        ({"fault_bits": [1.5, None]}, Reason.WRONG_TYPE, {"level_percent", "power_w"}),
    ],
)
def test_a_column_that_does_not_fit_is_set_aside_and_the_rest_is_placed(changes, reason, kept):
    decoded = readings(frame(**changes))
    assert set(decoded.columns) == kept
    assert [part.reason for part in decoded.refused] == [reason]
    assert decoded.device == ["lamp-7-001", "lamp-7-002"]


@pytest.mark.parametrize(
    ("name", "bad"), [("power_w", "57"), ("power_w", True), ("power_w", [57]), ("fault_bits", 1.5), ("switched_on", 1)]
)
def test_a_cell_of_another_type_is_set_aside_and_its_neighbours_are_placed(name: str, bad: object):
    good = {"power_w": 57.5, "fault_bits": 3, "switched_on": True}[name]
    decoded = readings(frame(**{name: [bad, good]}))
    assert decoded.columns[name] == [None, good]
    (part,) = decoded.refused
    assert part.reason is Reason.WRONG_TYPE
    assert orjson.loads(part.body) == {"kind": "lamp", "device": ["lamp-7-001"], "time": [T], name: [bad]}


@pytest.mark.parametrize("bad", [101, -1, 1e300, 2**60])
def test_a_value_out_of_bounds_is_neither_stored_nor_clamped(bad: float):
    decoded = readings(frame(level_percent=[bad, 40]))
    assert decoded.columns["level_percent"] == [None, 40]
    (part,) = decoded.refused
    assert part.reason is Reason.OUT_OF_BOUNDS
    assert "lamp-7-001" in part.detail
    assert orjson.loads(part.body)["device"] == ["lamp-7-001"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"device": ["LAMP", "lamp-7-002"]}, Reason.UNKNOWN_DEVICE),
        ({"device": [7, "lamp-7-002"]}, Reason.UNKNOWN_DEVICE),
        ({"device": ["lamp/7", "lamp-7-002"]}, Reason.UNKNOWN_DEVICE),
        ({"time": [0, T]}, Reason.ABSURD_TIME),
        ({"time": ["now", T]}, Reason.ABSURD_TIME),
        ({"time": [9e15, T]}, Reason.ABSURD_TIME),
    ],
)
def test_a_row_that_does_not_fit_is_set_aside_and_the_others_are_placed(changes, reason):
    decoded = readings(frame(**changes))
    assert decoded.device == ["lamp-7-002"]
    assert decoded.columns["level_percent"] == [60]
    assert decoded.quality == [4]
    assert [part.reason for part in decoded.refused] == [reason]


def test_choices_become_indices_and_unknown_words_are_set_aside():
    truck = frame(kind="truck", lift=["raised", "sideways"], level_percent=None, power_w=None)
    decoded = readings(truck)
    assert decoded.columns["lift"] == [1, None]
    assert [part.reason for part in decoded.refused] == [Reason.OUT_OF_BOUNDS]


def test_a_sensor_names_its_own_quantities():
    decoded = readings(frame(kind="sensor", fill_percent=[10, 20], **{"Bad Name": [1, 2]}))
    assert decoded.columns["fill_percent"] == [10, 20]
    assert [part.reason for part in decoded.refused] == [Reason.UNKNOWN_QUANTITY]


def test_compressed_and_plain_frames_read_alike():
    assert decode_frame(zlib.compress(frame())) == decode_frame(frame())
    assert decode_frame(packed(frame())) == decode_frame(frame())
    assert len(packed(frame())) < 0.7 * len(zlib.compress(frame()))


def test_the_dictionary_of_the_wire_is_frozen():
    """Another one cannot be read by what was installed before: that is another wire version."""
    assert zlib.adler32(PRESET) == DICTIONARY
    other = zlib.compressobj(zdict=PRESET + b" ")
    refused = decode_frame(other.compress(frame()) + other.flush())
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.MALFORMED


cells = st.lists(st.one_of(st.none(), st.floats(-100, 200), st.integers(-100, 200)), min_size=3, max_size=3)


@given(level=cells, power=cells)
def test_every_value_is_either_placed_or_set_aside(level, power):
    body = readings_body(Kind.LAMP, ["a", "b", "c"], [T, T, T], {"level_percent": level, "power_w": power}, [0, 0, 0])
    decoded = decode_body(body)
    assert isinstance(decoded, ReadingsFrame)
    for name, column in (("level_percent", level), ("power_w", power)):
        set_aside: dict[str, object] = {}
        for part in decoded.refused:
            found = orjson.loads(part.body)
            if name in found:
                set_aside |= dict(zip(found["device"], found[name], strict=True))
        for device, sent, placed in zip("abc", column, decoded.columns[name], strict=True):
            assert placed == sent or (placed is None and set_aside[device] == sent)


def test_what_was_set_aside_can_be_tried_again():
    (part,) = readings(frame(level_percent=[101, 40])).refused
    again = decode_body(part.body)
    assert isinstance(again, ReadingsFrame)
    assert [piece.reason for piece in again.refused] == [Reason.OUT_OF_BOUNDS]


def test_events_and_results_survive_the_wire():
    event = Event(
        id="e-1", time=T, event="bus-silent", device="lamp-7-001", detail={"bus": "cab-07"}, count=3, first=T - 9
    )
    decoded = decode_frame(seal(events_body([event]), ENVELOPE))
    assert isinstance(decoded, EventsFrame)
    assert decoded.events == (event,)
    result = Result("c-1", 2, T, CommandState.VERIFIED, devices=(DeviceResult("lamp-7-001", CommandState.VERIFIED),))
    decoded_results = decode_frame(seal(results_body([result]), ENVELOPE))
    assert isinstance(decoded_results, ResultsFrame)
    assert decoded_results.results == (result,)


def test_a_bad_event_never_stops_its_neighbours():
    good = Event(id="e-1", time=T, event="bus-silent").as_json()
    payload = orjson.dumps({"v": 1, "seq": 1, "boot": "b", "sent": 1, "kind": "event", "events": [good, {"id": 1}, 7]})
    decoded = decode_frame(payload)
    assert isinstance(decoded, EventsFrame)
    assert len(decoded.events) == 1
    assert [part.reason for part in decoded.refused] == [Reason.MALFORMED, Reason.MALFORMED]


EVENT = Event(id="e-1", time=T, event="bus-silent", device="lamp-7-001", detail={"bus": "cab-07"}).as_json()
RESULT = Result("c-1", 1, T, CommandState.FAILED, "why", "more").as_json()


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        *(("event", EVENT | {"count": number}) for number in (-1, 2**52, 2**63)),
        ("event", EVENT | {"first": 2**63}),
        *(("event", EVENT | {name: "a\0b"}) for name in ("id", "event", "device")),
        ("event", EVENT | {"detail": {"a": "x\0y"}}),
        ("event", EVENT | {"detail": {"a\0": "x"}}),
        ("event", EVENT | {"detail": {"a" * 501: "x"}}),
        *(("result", RESULT | {"highest_seq": number}) for number in (-1, 2**52, 2**53, 2**63)),
        *(("result", RESULT | {"n": number}) for number in (-1, 2**52, 2**63)),
        *(("result", RESULT | {"time": number}) for number in (-(2**52), 2**52, 2**63)),
        *(("result", RESULT | {name: "a\x1bb"}) for name in ("id", "reason", "detail")),
        ("result", RESULT | {"devices": [{"device": "lamp-1", "state": "failed", "reason": "a\0b"}]}),
        ("result", RESULT | {"devices": [{"device": "lamp-1", "state": "failed", "reason": "a" * 501}]}),
    ],
)
def test_what_no_ledger_log_or_signature_can_hold_is_refused(kind, item):
    decoded = decode_frame(orjson.dumps({"v": 1, "seq": 1, "boot": "b", "sent": 1, "kind": kind, f"{kind}s": [item]}))
    assert isinstance(decoded, EventsFrame | ResultsFrame)
    assert len(decoded.refused) == 1


def test_our_own_side_may_not_send_ragged_or_endless_frames():
    with pytest.raises(ContractError):
        readings_body(Kind.LAMP, ["a"], [T, T], {}, [0])
    many = MAX_FRAME_ROWS + 1
    with pytest.raises(ContractError):
        readings_body(Kind.LAMP, ["a"] * many, [T] * many, {}, [0] * many)


@given(st.binary(max_size=300))
def test_no_bytes_raise(payload: bytes):
    decode_frame(payload)


@given(
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False), st.text(max_size=5)
        ),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
        max_leaves=10,
    ),
    st.sampled_from(["v", "seq", "boot", "kind", "sent", "device", "time", "level_percent", "quality", "switched_on"]),
)
def test_no_value_in_any_key_raises(value, key):
    decode_frame(frame(**{key: value}))
