"""An exported audit trail, checked without a server: the chain, its signed end, and whether it goes on from another.

One JSON value a line: a heading, an array for each row, and the end, signed by a key that the root key vouches for.
Whoever holds the database can make a chain that fits; none that still runs through an end which was handed out before.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from lamplighter_contract.commands.signing import Keyring, open_keys
from lamplighter_contract.errors import Refusal
from lamplighter_controller.security.audit import Head
from lamplighter_controller.security.chain import COLUMNS, Tampered, Walk
from lamplighter_controller.security.keys import Keys

TYPE: Final = "lamplighter-audit"
END_TYPE: Final = "lamplighter-audit-end"
VERSION: Final = 1
MAX_LINE_BYTES: Final = 4_194_304


@dataclass(frozen=True, slots=True)
class Checked:
    """What can be said of an exported trail. `wrong` is empty when every row is as it was recorded.

    `signer_known`: the end is signed by a key that the root key handed in vouches for.
    """

    rows: int
    wrong: str = ""
    controller: str = ""
    time_ms: int | None = None
    signer_known: bool = False


def heading(controller: str) -> bytes:
    """The first line of an export."""
    return orjson.dumps({"type": TYPE, "v": VERSION, "controller": controller, "columns": COLUMNS}) + b"\n"


def signed_end(controller: str, end: Head, keys: Keys, wall_ms: int) -> bytes:
    """The last line of an export: where the trail ends, signed, with the document that names the signer's key."""
    document = {
        "type": END_TYPE,
        "v": VERSION,
        "controller": controller,
        "number": end.number,
        "row_sha256": end.row_sha256,
        "time_ms": wall_ms,
        "keys": keys.document.decode(),
    }
    return keys.signer.sign(document) + b"\n"


def end_of(line: bytes) -> Head | None:
    """Where an export says that it ends; None when the line is no end."""
    document = _read(line)
    if not isinstance(document, dict) or document.get("type") != END_TYPE:
        return None
    number, digest = document.get("number"), document.get("row_sha256")
    return Head(number, digest) if isinstance(number, int) and isinstance(digest, str) else None


def check(lines: Iterable[bytes], root_public: bytes | None = None, earlier: Head | None = None) -> Checked:
    """Check an export line by line; `earlier` is the end of one that was handed out before."""
    walk, last = Walk(), b""
    went_through = earlier is None or earlier.number == 0
    for line, row in _documents(lines):
        if not isinstance(row, list):
            last = line
            continue
        tampered = Tampered(walk.number + 1, "rows follow the end") if last else _over(walk, row)
        if tampered is not None:
            return Checked(walk.number, f"row {tampered.number}: {tampered.what}")
        went_through |= earlier is not None and (walk.number, walk.row_sha256) == (earlier.number, earlier.row_sha256)
    wrong = _wrong_end(walk, last, went_through=went_through)
    if wrong:
        return Checked(walk.number, wrong)
    return _signed(walk.number, last, root_public)


def _documents(lines: Iterable[bytes]) -> Iterator[tuple[bytes, Any]]:
    for place, line in enumerate(lines):
        document = _read(line)
        if place or not (isinstance(document, dict) and document.get("type") == TYPE):
            yield line, document


def _over(walk: Walk, row: list[Any]) -> Tampered | None:
    if len(row) != len(COLUMNS):
        return Tampered(walk.number + 1, f"it has {len(row)} columns, expected {len(COLUMNS)}")
    return walk.over([tuple(row)])


def _wrong_end(walk: Walk, last: bytes, *, went_through: bool) -> str:
    end = end_of(last)
    if end is None:
        return "the last line is no end: the file was cut, or is no exported audit trail"
    tampered = walk.at_end(end.number, end.row_sha256)
    if tampered is not None:
        return f"row {tampered.number}: {tampered.what}"
    return "" if went_through else "it does not go on from the earlier one: rows from before were changed"


def _signed(rows: int, last: bytes, root_public: bytes | None) -> Checked:
    document = _read(last)
    controller, time_ms = str(document.get("controller"))[:64], document.get("time_ms")
    if root_public is None:
        return Checked(rows, "", controller, time_ms)
    refusal = _refusal(document, root_public)
    return Checked(rows, refusal, controller, time_ms, signer_known=not refusal)


def _refusal(document: Mapping[str, Any], root_public: bytes) -> str:
    keys = open_keys(str(document.get("keys", "")).encode(), root_public, Keyring())
    if isinstance(keys, Refusal):
        return f"the end: the root key does not vouch for its keys: {keys.detail}"
    time_ms = document.get("time_ms")
    refusal = keys.check(document, time_ms if isinstance(time_ms, int) else 0)
    return f"the end: {refusal.detail}" if refusal else ""


def _read(line: bytes) -> Any:
    if len(line) > MAX_LINE_BYTES:
        return None
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
