import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.files import (
    MOST_BYTES,
    FileName,
    Wants,
    decode_part,
    decode_wants,
    encode_part,
    file_name,
)
from lamplighter_contract.wire.limits import MAX_PIECE_BYTES

SHA = "ab" * 32


@given(st.binary(min_size=1, max_size=1000), st.integers(0, 2**31 - 1))
def test_a_piece_comes_as_it_went(content, number):
    assert decode_part(encode_part(SHA, number, content)) == (SHA, number, content)


@pytest.mark.parametrize("payload", [b"", b"x" * 36, encode_part(SHA, 0, b"x" * (MAX_PIECE_BYTES + 1))])
def test_a_piece_of_the_wrong_length_is_refused(payload):
    refusal = decode_part(payload)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.LENGTH


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"{SHA}:1", FileName(SHA, 1)),
        (f"{SHA}:{MOST_BYTES}", FileName(SHA, MOST_BYTES)),
        (f"{SHA}:{MOST_BYTES + 1}", None),
        (f"{SHA}:0", None),
        (SHA, None),
        ("../../etc/passwd:1", None),
        (7, None),
    ],
)
def test_a_file_is_named_by_content_and_size(text, name):
    assert file_name(text) == name
    assert name is None or str(name) == text


def test_an_asking_is_bounded():
    assert decode_wants(Wants(SHA, 5, 4).encode()) == Wants(SHA, 5, 4)
    for payload in (b"{", Wants("x", 0, 1).encode(), b'{"sha256":"%s","first":-1,"count":1}' % SHA.encode()):
        assert isinstance(decode_wants(payload), Refusal)
    assert isinstance(decode_wants(b'{"sha256":"%s","first":0,"count":5}' % SHA.encode()), Refusal)
    assert isinstance(decode_wants(b'{"sha256":"%s","first":0,"count":1,"v":2}' % SHA.encode()), Refusal)
