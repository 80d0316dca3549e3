"""Bytes of a line: whatever comes is judged, and a good answer is found in noise and behind an echo."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_gateway.commissioning.wire.frames import (
    MBAP,
    Kind,
    read_pdu,
    rtu_frame,
    understood_rtu,
    understood_tcp,
    whole,
    write_pdu,
)

QUESTION = read_pdu(3, 0, 2)
ANSWER = rtu_frame(7, bytes.fromhex("0304 0001 0002"))


@given(st.integers(0, 255), st.sampled_from([QUESTION, read_pdu(1, 5, 9), write_pdu(32, 50)]), st.binary(max_size=300))
def test_nothing_that_is_heard_makes_it_raise(unit, pdu, heard):
    said = understood_rtu(unit, pdu, heard)
    if said.alive:
        assert said.unit == unit
    understood_tcp(unit, pdu, heard, closed=False)


@given(st.binary(max_size=6), st.binary(max_size=6), st.booleans())
def test_a_good_answer_is_found_between_strange_bytes_and_behind_an_echo(before, after, echoed):
    heard = (rtu_frame(7, QUESTION) if echoed else b"") + before + ANSWER + after
    said = understood_rtu(7, QUESTION, heard)
    assert (said.kind, said.block) == (Kind.GOOD, bytes.fromhex("00010002"))
    assert said.noisy == bool(before or after)
    assert said.echoed == echoed


@given(st.integers(0, len(ANSWER) - 1), st.integers(1, 255))
def test_one_spoilt_byte_is_never_a_good_answer(place, flip):
    spoilt = bytearray(ANSWER)
    spoilt[place] ^= flip
    assert not understood_rtu(7, QUESTION, bytes(spoilt)).alive


@pytest.mark.parametrize(
    ("heard", "kind"),
    [
        (b"", Kind.SILENT),
        (rtu_frame(7, QUESTION), Kind.ECHO),
        (rtu_frame(7, b"\x83\x02"), Kind.REFUSED),
        (rtu_frame(8, bytes.fromhex("030400010002")), Kind.FOREIGN),
        (rtu_frame(7, bytes.fromhex("0306000100020003")), Kind.FOREIGN),  # an answer to a longer question
        (b"\x00\x00\xff", Kind.LEVELS),
        (b"\x12\x34\x56", Kind.GARBLED),
    ],
)
def test_what_is_heard_has_a_name(heard, kind):
    assert understood_rtu(7, QUESTION, heard).kind is kind


def test_the_answer_to_a_write_is_the_request_itself_and_an_echo_comes_twice():
    pdu = write_pdu(32, 50)
    frame = rtu_frame(7, pdu)
    assert whole(frame)
    assert (understood_rtu(7, pdu, frame).kind, understood_rtu(7, pdu, frame).echoed) == (Kind.GOOD, False)
    assert (understood_rtu(7, pdu, frame * 2).kind, understood_rtu(7, pdu, frame * 2).echoed) == (Kind.GOOD, True)


@pytest.mark.parametrize(
    ("heard", "closed", "kind"),
    [
        (b"", False, Kind.SILENT),
        (b"", True, Kind.CLOSED),
        (MBAP.pack(1, 0, 7, 7) + bytes.fromhex("030400010002"), False, Kind.GOOD),
        (MBAP.pack(1, 0, 3, 7) + b"\x83\x0b", False, Kind.REFUSED),
        (MBAP.pack(1, 0, 7, 8) + bytes.fromhex("030400010002"), False, Kind.FOREIGN),
        (b"HTTP/1.1 400 Bad Request", False, Kind.GARBLED),
    ],
)
def test_answers_on_tcp_have_a_name(heard, closed, kind):
    assert understood_tcp(7, QUESTION, heard, closed=closed).kind is kind
