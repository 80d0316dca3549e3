"""Files in pieces: cut, told, joined again, and what is no piece."""

import base64
import hashlib

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.commands.command import Operation, check_args
from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire.frame import Envelope, PiecesFrame, decode_frame, piece_body, seal
from lamplighter_contract.wire.limits import (
    EARLIEST_TIME_MS,
    MAX_EVIDENCE_MS,
    MAX_FRAME_BYTES,
    MAX_PARCEL_BYTES,
    MAX_PHOTOS,
    MAX_PIECE_BYTES,
)
from lamplighter_contract.wire.pieces import Piece, count, pieces_of, read_piece

ENVELOPE = Envelope(7, "boot", 1_763_650_000_000)


def good(**changes):
    [piece] = pieces_of("v-1", "truck-1", "frames.jsonl", b"abc")
    return {**piece.as_json(), **changes}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 3 * MAX_PIECE_BYTES), st.binary(min_size=1, max_size=64))
def test_a_file_survives_the_way(size, seed):
    file = (seed * (size // len(seed) + 1))[:size]
    found: list[Piece] = []
    for piece in pieces_of("v-1", "truck-1", "frames.jsonl", file):
        frame = decode_frame(seal(piece_body(piece), ENVELOPE))
        assert isinstance(frame, PiecesFrame)
        assert not frame.refused
        found += frame.pieces
    assert b"".join(piece.read() for piece in found) == file
    assert {piece.sha256 for piece in found} == {hashlib.sha256(file).hexdigest()}
    assert [piece.number for piece in found] == list(range(1, count(size) + 1))


def test_the_largest_piece_fits_into_a_frame():
    [*pieces] = pieces_of("v" * 64, "t" * 64, "n" * 64, bytes(MAX_PIECE_BYTES))
    assert len(seal(piece_body(pieces[0]), ENVELOPE)) < MAX_FRAME_BYTES


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "A" * 64},
        {"sha256": "../../etc/passwd"},
        {"device": "Truck 1"},
        {"violation": ""},
        {"violation": "v" * 65},
        {"violation": "a\nb"},
        {"name": ""},
        {"name": "n" * 65},
        {"name": "a\x00"},
        {"size": MAX_PARCEL_BYTES + 1, "total": count(MAX_PARCEL_BYTES + 1)},
        {"size": -1},
        {"number": 0},
        {"number": 2},
        {"total": 2},
        {"content": "abc"},
        {"content": "not base64!!"},
        {"content": base64.b64encode(b"abcd").decode()},
        {"size": 4},
        {"content": 7},
    ],
)
def test_what_is_no_piece_is_refused_alone(changes):
    assert isinstance(read_piece(good(**changes)), Refusal)
    body = orjson.dumps({"kind": "piece", "pieces": [good(), good(**changes)]})
    frame = decode_frame(seal(body, ENVELOPE))
    assert isinstance(frame, PiecesFrame)
    assert (len(frame.pieces), len(frame.refused)) == (1, 1)


def test_a_good_piece_is_taken():
    assert isinstance(read_piece(good()), Piece)


START = EARLIEST_TIME_MS + 1


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"photos": ["0" * 64] * MAX_PHOTOS}, True),
        ({"photos": ["0" * 64] * (MAX_PHOTOS + 1)}, False),
        ({"photos": ["0" * 63]}, False),
        ({"photos": "0" * 64}, False),
        ({"to": START}, False),
        ({"to": START - 1}, False),
        ({"to": START + MAX_EVIDENCE_MS}, True),
        ({"to": START + MAX_EVIDENCE_MS + 1}, False),
        ({"violation": ""}, False),
        ({"from": 1.5}, False),
    ],
)
def test_what_may_be_asked_for(changes, fits):
    args = {"from": START, "to": START + 60_000, "violation": "v-1"} | changes
    assert (check_args(Operation.TRUCK_EVIDENCE, args) is None) is fits
