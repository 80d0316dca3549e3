"""Frames: numbered columns of readings, and lists of events and results, on their way up.

The body is written when the readings are made and is what a spool keeps; the envelope (`v`, `seq`, `boot`, `sent`) is
put around it when the frame is sent, because a frame may be sent by another process start than the one that made it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import orjson

from lamplighter_contract.commands.results import Result, read_result
from lamplighter_contract.errors import ContractError, Reason, Refusal
from lamplighter_contract.quantities import RESERVED, Kind
from lamplighter_contract.wire.bounded import inflate, read_object
from lamplighter_contract.wire.columns import ColumnReader, Number, Refused
from lamplighter_contract.wire.events import Event, read_event
from lamplighter_contract.wire.limits import MAX_EVENTS, MAX_FRAME_BYTES, MAX_FRAME_COLUMNS, MAX_FRAME_ROWS
from lamplighter_contract.wire.pieces import Piece, read_piece
from lamplighter_contract.wire.typed import read_typed
from lamplighter_contract.wire.version import WIRE_VERSION

Cell = float | int | bool | str | None

EVENTS: Final = "event"
RESULTS: Final = "result"
PIECES: Final = "piece"
LISTS: Final = (EVENTS, RESULTS, PIECES)
Item = TypeVar("Item", Event, Result, Piece)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every frame carries: its number in the gateway's sequence, which process start sent it, when (real ms)."""

    seq: int
    boot: str
    sent_ms: int


@dataclass(frozen=True, slots=True)
class ReadingsFrame:
    """Readings of one kind as columns of equal length; flags are bools and choices indices, None = not read."""

    envelope: Envelope
    kind: Kind
    device: list[str]
    time_ms: list[int]
    columns: dict[str, list[Number]]
    quality: list[int]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class EventsFrame:
    """Things that happened at or near the gateway."""

    envelope: Envelope
    events: tuple[Event, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class ResultsFrame:
    """What became of commands."""

    envelope: Envelope
    results: tuple[Result, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class PiecesFrame:
    """Pieces of files that were asked for."""

    envelope: Envelope
    pieces: tuple[Piece, ...]
    refused: tuple[Refused, ...]


Frame = ReadingsFrame | EventsFrame | ResultsFrame | PiecesFrame


def readings_body(
    kind: Kind,
    device: Sequence[str],
    time_ms: Sequence[int],
    columns: Mapping[str, Sequence[Cell]],
    quality: Sequence[int],
) -> bytes:
    """The body of a readings frame; all sequences have the length of `device`.

    Raises:
        ContractError: the columns do not have one length, or there are too many rows.
    """
    rows = len(device)
    if rows > MAX_FRAME_ROWS or any(len(column) != rows for column in (time_ms, quality, *columns.values())):
        raise ContractError(f"a readings frame needs equal columns of at most {MAX_FRAME_ROWS} rows")
    return orjson.dumps({"kind": kind, "device": device, "time": time_ms, **columns, "quality": quality})


def events_body(events: Sequence[Event]) -> bytes:
    """The body of an events frame."""
    return orjson.dumps({"kind": EVENTS, "events": [event.as_json() for event in events]})


def results_body(results: Sequence[Result]) -> bytes:
    """The body of a results frame."""
    return orjson.dumps({"kind": RESULTS, "results": [result.as_json() for result in results]})


def piece_body(piece: Piece) -> bytes:
    """The body of a frame with one piece of a file."""
    return orjson.dumps({"kind": PIECES, "pieces": [piece.as_json()]})


def seal(body: bytes, envelope: Envelope) -> bytes:
    """The frame as it is sent: the envelope spliced before the body."""
    head = orjson.dumps({"v": WIRE_VERSION, "seq": envelope.seq, "boot": envelope.boot, "sent": envelope.sent_ms})
    return head[:-1] + b"," + body[1:]


def decode_frame(payload: bytes) -> Frame | Refusal:
    """Read one frame. What cannot be placed is in `refused`; a frame without a usable envelope is refused whole."""
    plain = inflate(payload, MAX_FRAME_BYTES)
    if isinstance(plain, Refusal):
        return plain
    typed = read_typed(plain)
    if typed is not None:
        envelope = Envelope(typed.seq, typed.boot, typed.sent_ms)
        return ReadingsFrame(
            envelope, typed.kind, typed.device, typed.time_ms, typed.columns, typed.quality, refused=()
        )
    return _piecewise(plain)


def _piecewise(plain: bytes) -> Frame | Refusal:
    found = read_object(plain, MAX_FRAME_BYTES)
    if isinstance(found, Refusal):
        return found
    envelope = _envelope(found)
    if isinstance(envelope, Refusal):
        return envelope
    kind = found.get("kind")
    if kind in LISTS:
        return _list(envelope, kind, found)
    if not isinstance(kind, str) or kind not in set(Kind):
        return Refusal(Reason.UNKNOWN_KIND, f"kind is {str(kind)[:40]!r}")
    return _readings(envelope, Kind(kind), found)


def _list(envelope: Envelope, kind: object, found: Mapping[str, Any]) -> Frame:
    if kind == EVENTS:
        return EventsFrame(envelope, *_items(found, "events", EVENTS, read_event))
    if kind == RESULTS:
        return ResultsFrame(envelope, *_items(found, "results", RESULTS, read_result))
    return PiecesFrame(envelope, *_items(found, "pieces", PIECES, read_piece))


def decode_body(body: bytes) -> Frame | Refusal:
    """Read a body without its envelope, as the dead-letter list keeps it."""
    return decode_frame(seal(body, Envelope(0, "-", 0))) if body[:1] == b"{" else Refusal(Reason.MALFORMED, "no object")


def decode_envelope(payload: bytes) -> Envelope | Refusal:
    """The envelope of a frame whose content was refused, so that it can be acknowledged all the same."""
    found = read_object(payload, MAX_FRAME_BYTES)
    return found if isinstance(found, Refusal) else _envelope(found)


def _envelope(found: Mapping[str, Any]) -> Envelope | Refusal:
    if found.get("v") != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {str(found.get('v'))[:20]}, {WIRE_VERSION} is spoken here")
    seq, boot, sent = found.get("seq"), found.get("boot"), found.get("sent")
    if type(seq) is not int or not 0 <= seq < 2**53:
        return Refusal(Reason.MALFORMED, f"seq is {str(seq)[:40]}")
    if not isinstance(boot, str) or not 0 < len(boot) <= 64:
        return Refusal(Reason.MALFORMED, "boot is missing or too long")
    if type(sent) is not int:
        return Refusal(Reason.MALFORMED, "sent is missing")
    return Envelope(seq, boot, sent)


def _items(
    found: Mapping[str, Any], key: str, kind: str, read: Callable[[object], Item | Refusal]
) -> tuple[tuple[Item, ...], tuple[Refused, ...]]:
    raw = found.get(key)
    if not isinstance(raw, list) or len(raw) > MAX_EVENTS:
        return (), (Refused(Reason.MALFORMED, f"{key} is no list of at most {MAX_EVENTS}", orjson.dumps(dict(found))),)
    taken: list[Item] = []
    refused: list[Refused] = []
    for item in raw:
        value = read(item)
        if isinstance(value, Refusal):
            refused.append(Refused(value.reason, value.detail, orjson.dumps({"kind": kind, key: [item]})))
        else:
            taken.append(value)
    return tuple(taken), tuple(refused)


def _readings(envelope: Envelope, kind: Kind, found: Mapping[str, Any]) -> ReadingsFrame | Refusal:
    device, time_ms = found.get("device"), found.get("time")
    if not isinstance(device, list) or not isinstance(time_ms, list) or len(device) != len(time_ms):
        return Refusal(Reason.LENGTH, "device and time are lists of one length")
    if len(device) > MAX_FRAME_ROWS or len(found) > MAX_FRAME_COLUMNS + len(RESERVED):
        return Refusal(Reason.TOO_LARGE, f"{len(device)} rows and {len(found)} columns")
    reader = ColumnReader(kind, device, time_ms)
    rows = reader.rows()
    quality = reader.quality(found.get("quality"))
    columns: dict[str, list[Number]] = {}
    for name, column in found.items():
        if name in RESERVED:
            continue
        values = reader.column(name, column)
        if values is not None:
            columns[name] = values
    if len(rows) != len(device):
        device, time_ms = [device[i] for i in rows], [time_ms[i] for i in rows]
        quality = [quality[i] for i in rows]
        columns = {name: [column[i] for i in rows] for name, column in columns.items()}
    return ReadingsFrame(envelope, kind, device, time_ms, columns, quality, tuple(reader.refused))
