"""Depth is bounded whatever a document looks like."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.bounded import deep, read_object
from lamplighter_contract.wire.limits import MAX_DEPTH

scalars = st.none() | st.integers(-9, 9) | st.text("[]{}\"' a", max_size=4)
boxes = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("a[{"), inner, max_size=3)
)


def nested(depth: int, inner: object = 1) -> object:
    """`inner` inside so many lists."""
    for _ in range(depth):
        inner = [inner]
    return inner


def too_deep(document: object) -> bool:
    found = read_object(orjson.dumps(document), 10_000)
    return isinstance(found, Refusal) and found.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    ("document", "refused"),
    [
        ({"a": [1, 2], "b": ["[", "{", "[[[["]}, False),
        ({"a": nested(MAX_DEPTH)}, False),
        ({"a": nested(MAX_DEPTH + 1)}, True),
        ({"a": [], "b": [], "c": nested(MAX_DEPTH + 1, "]]")}, True),
        ({"a": {"b": nested(MAX_DEPTH)}}, True),
    ],
)
def test_nesting_ends_at_the_limit(document, refused):
    assert too_deep(document) is refused


def test_a_key_that_stands_twice_hides_no_depth():
    payload = b'{"a":' + orjson.dumps(nested(3)) + b',"a":' + orjson.dumps(nested(MAX_DEPTH + 1)) + b"}"
    assert isinstance(read_object(payload, 10_000), Refusal)


@given(st.dictionaries(st.text("a]"), boxes, max_size=4), st.integers(0, MAX_DEPTH + 3))
def test_exactly_what_is_deep_is_refused(document, wrapped):
    document["z"] = nested(wrapped)
    assert too_deep(document) is deep(document)
