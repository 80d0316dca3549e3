"""Frames in a stream: cut anywhere, mixed with rubbish, sealed and opened."""

import functools
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Refused
from lamplighter_gateway.drivers.jt808.codec.framing import (
    MOST_BYTES,
    Deframer,
    checksum,
    escape,
    open_seal,
    seal,
    unescape,
)

CONTENT = st.binary(min_size=1, max_size=1_100)


def test_the_standards_own_example_of_escapes():
    assert escape(bytes.fromhex("307e087d55")).hex() == "307d02087d0155"
    assert unescape(bytes.fromhex("307d02087d0155")) == bytes.fromhex("307e087d55")


@given(st.binary(max_size=3_000))
def test_the_checksum_is_the_exclusive_or_of_all_bytes(data):
    assert checksum(data) == functools.reduce(operator.xor, data, 0)


@given(CONTENT)
def test_what_is_sealed_opens_again_and_holds_no_flag(content):
    frame = seal(content)
    assert frame[0] == frame[-1] == 0x7E
    assert b"\x7e" not in frame[1:-1]
    assert open_seal(frame[1:-1]) == content


@given(CONTENT, st.data())
def test_one_wrong_bit_is_found(content, data):
    sealed = bytearray(content + bytes((checksum(content),)))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= 1 << data.draw(st.integers(0, 7))
    opened = open_seal(escape(bytes(sealed)))
    assert isinstance(opened, Refused)
    assert opened.fault is Fault.CHECKSUM


@pytest.mark.parametrize("between", ["7d", "7d00", "017d037d02", "7d7d01"])
def test_an_escape_of_nothing_is_refused(between):
    refused = open_seal(bytes.fromhex(between))
    assert isinstance(refused, Refused)
    assert refused.fault is Fault.ESCAPE


@given(st.lists(CONTENT, max_size=6), st.booleans(), st.data())
def test_a_stream_cut_anywhere_gives_every_frame_once(contents, shared_flags, data):
    stream = b"".join(seal(content) for content in contents)
    if shared_flags:
        stream = stream.replace(b"\x7e\x7e", b"\x7e")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    deframer, found = Deframer(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += [open_seal(piece) for piece in deframer.feed(stream[start:end]) if isinstance(piece, bytes)]
    assert found == contents


def test_rubbish_before_between_and_without_an_end_costs_no_frame():
    good, other = seal(b"good"), seal(b"other")
    pieces = list(Deframer().feed(b"noise" + good + b"junk" + other + b"x" * 10_000 + good))
    kinds = [piece.fault if isinstance(piece, Refused) else piece for piece in pieces]
    opened = [open_seal(piece) for piece in pieces if isinstance(piece, bytes)]
    assert kinds[0] is Fault.FLAG
    assert [one for one in opened if isinstance(one, bytes)] == [b"good", b"other", b"good"]
    assert Fault.OVERSIZE in kinds


def test_a_flood_without_flags_is_held_to_its_bound_and_told_once():
    deframer = Deframer()
    list(deframer.feed(b"\x7e"))
    told = [piece for _ in range(100) for piece in deframer.feed(b"x" * 1_000)]
    assert [piece.fault for piece in told if isinstance(piece, Refused)] == [Fault.OVERSIZE]
    assert len(told) == 1
    assert len(deframer._kept) <= MOST_BYTES
    [piece] = deframer.feed(seal(b"next"))
    assert isinstance(piece, bytes)
    assert open_seal(piece) == b"next"


@given(st.binary(max_size=5_000))
def test_noise_never_raises(noise):
    for piece in Deframer().feed(noise):
        assert isinstance(piece, Refused) or open_seal(piece) is not None
