"""Types of fields that another side fills in: bounded numbers, and text that any log, screen or database can hold."""

import re
from typing import Annotated, Final

from msgspec import Meta

from lamplighter_contract.wire.limits import MAX_COUNT

MAX_LINE: Final = 200
_PLAIN: Final = r"\A[^\x00-\x1f\x7f]*\Z"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

Count = Annotated[int, Meta(ge=0, lt=MAX_COUNT)]
Whole = Annotated[int, Meta(gt=-MAX_COUNT, lt=MAX_COUNT)]
Boot = Annotated[str, Meta(min_length=1, max_length=64, pattern=_PLAIN)]
Text = Annotated[str, Meta(max_length=MAX_LINE, pattern=_PLAIN)]


def is_plain(text: str) -> bool:
    """True when there is no control character in it."""
    return _CONTROL.search(text) is None


def plain(text: str) -> str:
    """The text with a space for every control character, as our own side may send it."""
    return _CONTROL.sub(" ", text)
