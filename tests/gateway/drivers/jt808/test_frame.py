"""Headers of all editions, and messages in fragments."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Refused
from lamplighter_gateway.drivers.jt808.codec.fragments import (
    MOST_FRAGMENTS,
    MOST_MESSAGES,
    MOST_REQUESTS,
    PATIENCE_S,
    Assembly,
    Missing,
)
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, Header, parse, read_frame, write_frame, write_message

SERIAL = st.integers(0, 0xFFFF)
BODY = st.binary(max_size=1_023)


@st.composite
def headers(draw):
    new = draw(st.booleans())
    digits = 20 if new else 12
    phone = draw(st.text("0123456789", min_size=digits, max_size=digits))
    total = draw(st.integers(0, 300))
    number = draw(st.integers(1, total)) if total else 0
    return Header(
        draw(SERIAL),
        phone,
        draw(SERIAL),
        draw(st.integers(1, 255)) if new else 0,
        draw(st.integers(0, 7)),
        total,
        number,
    )


@given(headers(), BODY)
def test_a_frame_is_read_as_it_was_written(header, body):
    assert read_frame(write_frame(header, body)[1:-1]) == Frame(header, body)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", Fault.SHORT),
        ("0002000001234567890100", Fault.SHORT),
        ("000240000101234567890123", Fault.SHORT),
        ("000220000123456789010001", Fault.SHORT),
        ("000200050123456789010001", Fault.LENGTH),
        ("00020000012345678901000100", Fault.LENGTH),
        ("00020000012345678a010001", Fault.BCD),
        ("0002200001234567890100010000", Fault.SHORT),
        ("00022000012345678901000100000000", Fault.FRAGMENT),
        ("00022000012345678901000100020003", Fault.FRAGMENT),
    ],
)
def test_a_broken_header_is_refused_with_its_kind(content, fault):
    refused = parse(bytes.fromhex(content))
    assert isinstance(refused, Refused)
    assert refused.fault is fault


@given(st.binary(max_size=60))
def test_no_content_raises(content):
    assert isinstance(parse(content), Frame | Refused)


@pytest.mark.parametrize("header", [Header(1, "0138", 0), Header(1, "013800138000", 0, protocol=1)])
def test_a_phone_number_of_another_length_is_not_written(header):
    with pytest.raises(ValueError, match="digits"):
        write_frame(header, b"")


def fragments_of(body, most_bytes=100, serial=65_530):
    header = Header(0x0801, "013800138000", serial)
    frames = [read_frame(raw[1:-1]) for raw in write_message(header, body, most_bytes)]
    return header, [frame for frame in frames if isinstance(frame, Frame)]


@given(st.binary(min_size=101, max_size=2_000), st.randoms(use_true_random=False))
def test_fragments_in_any_order_with_repeats_make_the_message_once(body, chance):
    header, frames = fragments_of(body)
    arriving = [*frames[:-1], *chance.choices(frames[:-1], k=5)]
    chance.shuffle(arriving)
    assembly = Assembly()
    assert [assembly.take(frame, 0.0) for frame in arriving] == [None] * len(arriving)
    assert assembly.take(frames[-1], 0.0) == Frame(header, body)
    assert len(assembly) == 0


def test_a_short_message_is_one_frame():
    header, frames = fragments_of(b"short")
    assert frames == [Frame(header, b"short")]


def test_what_is_missing_is_asked_for_a_few_times_then_given_up():
    _, frames = fragments_of(bytes(500))
    assembly = Assembly()
    for frame in (frames[0], frames[2]):
        assembly.take(frame, 0.0)
    asked, now_s = [], 0.0
    assert assembly.late(PATIENCE_S / 2) == []
    while len(assembly):
        now_s += PATIENCE_S
        asked += assembly.late(now_s)
    assert asked[:-1] == [Missing(0x0801, 65_530, (2, 4, 5))] * MOST_REQUESTS
    assert isinstance(asked[-1], Refused)


def test_a_missing_fragment_that_comes_late_completes_the_message():
    header, frames = fragments_of(bytes(range(250)))
    assembly = Assembly()
    assembly.take(frames[2], 0.0)
    assembly.take(frames[0], 0.0)
    assert assembly.late(PATIENCE_S) == [Missing(0x0801, 65_530, (2,))]
    assert assembly.take(frames[1], PATIENCE_S + 1) == Frame(header, bytes(range(250)))


def test_messages_that_never_end_are_bounded():
    assembly = Assembly()
    for number in range(MOST_MESSAGES * 3):
        _, frames = fragments_of(bytes(300), serial=number * 10)
        assembly.take(frames[0], float(number))
    assert len(assembly) == MOST_MESSAGES
    monster = Frame(Header(1, "013800138000", 0, total=MOST_FRAGMENTS + 1, number=1), b"")
    assert isinstance(assembly.take(monster, 0.0), Refused)


def test_a_message_that_grows_too_large_is_let_go():
    assembly, chance = Assembly(), random.Random(1)
    taken = None
    for number in range(1, MOST_FRAGMENTS):
        body = chance.randbytes(1_023) + b"x" * 10
        taken = assembly.take(Frame(Header(1, "0" * 12, number, total=MOST_FRAGMENTS, number=number), body), 0.0)
        if taken is not None:
            break
    assert isinstance(taken, Refused)
    assert len(assembly) == 0
