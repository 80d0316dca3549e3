"""What a posted part of a feed says, and whether it is taken. Pure; times, secret and what came before are handed in.

A part is one JSON object with `feed` (the bus it is for), `sequence` (one more than that of the part before), `sent`
(real epoch ms) and `positions`. Its signature is the HMAC-SHA256 of its bytes as they came.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.bounded import read_object
from lamplighter_contract.wire.limits import MAX_COUNT, MAX_TEXT
from lamplighter_gateway.drivers.json_values import decode
from lamplighter_gateway.drivers.port import Reading
from lamplighter_gateway.profiles.model import RelayMap

MOST_BYTES: Final = 524_288
MOST_POSITIONS: Final = 1_000
WINDOW_MS: Final = 300_000  # between the sender's clock and ours
LATE_MS: Final = 60_000  # a report this old tells the past
_PLACE: Final = ("latitude", "longitude")
_WHEREABOUTS: Final = (*_PLACE, "altitude_m", "speed_kmh", "heading_deg")


@dataclass(frozen=True, slots=True)
class Mark:
    """The last part that was taken: a sender that heard no answer sends it again."""

    sequence: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is authentic, in time and new; positions as they came."""

    mark: Mark
    positions: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Repeated:
    """This part was taken before; nothing is to be done but to say so."""

    mark: Mark


@dataclass(frozen=True, slots=True)
class Missed:
    """One position that was not taken; `truck` where it is one that nobody configured."""

    position: int
    reason: Reason
    detail: str
    truck: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """What a truck is here: its device and its profile."""

    device: str
    profile: RelayMap


class _Head(msgspec.Struct):
    feed: str
    sequence: int
    sent: int
    positions: list[Any]


def signature(secret: bytes, body: bytes) -> str:
    """What goes with a part, in hexadecimal."""
    return hmac.new(secret, body, hashlib.sha256).hexdigest()


def read_part(body: bytes, signed: str, secret: bytes, feed: str, now_ms: int, last: Mark) -> Part | Repeated | Refusal:
    """A part from what was posted; `now_ms` real epoch ms. Nothing is looked at before the signature is right."""
    if not hmac.compare_digest(signed.lower().encode(), signature(secret, body).encode()):
        return Refusal(Reason.SIGNATURE, "the signature is not that of these bytes under this feed's secret")
    head = _head(body)
    return head if isinstance(head, Refusal) else _judged(head, hashlib.sha256(body).hexdigest(), feed, now_ms, last)


def _judged(head: _Head, digest: str, feed: str, now_ms: int, last: Mark) -> Part | Repeated | Refusal:
    if head.feed != feed:
        return Refusal(Reason.ADDRESS, f"for the feed {head.feed[:64]!r}, this is {feed}")
    if abs(now_ms - head.sent) > WINDOW_MS:
        return Refusal(Reason.CLOCK, f"sent {(now_ms - head.sent) // 1000} s ago by this clock, {now_ms}")
    mark = Mark(head.sequence, digest)
    if mark == last:
        return Repeated(mark)
    if head.sequence <= last.sequence:
        return Refusal(Reason.SEQUENCE, f"{head.sequence} is not above {last.sequence}, the last that was taken")
    return Part(mark, head.positions)


def _head(body: bytes) -> _Head | Refusal:
    found = read_object(body, MOST_BYTES)
    if isinstance(found, Refusal):
        return found
    try:
        head = msgspec.convert(found, _Head)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, str(error)[:MAX_TEXT])
    if not 0 < head.sequence < MAX_COUNT:
        return Refusal(Reason.OUT_OF_BOUNDS, f"sequence is {head.sequence}, expected 1 to {MAX_COUNT}")
    if len(head.positions) > MOST_POSITIONS:
        return Refusal(Reason.TOO_LARGE, f"{len(head.positions)} positions, at most {MOST_POSITIONS} are taken")
    return head


def read_position(position: object, place: int, senders: Mapping[str, Sender], now_ms: int) -> Reading | Missed:
    """One position as a reading; `now_ms` civil. One that is wrong costs itself alone."""
    if not isinstance(position, dict) or not isinstance(position.get("truck"), str):
        return Missed(place, Reason.MALFORMED, "an object with the text truck is expected")
    truck = position["truck"][:64]
    sender = senders.get(truck)
    if sender is None:
        return Missed(place, Reason.UNKNOWN_DEVICE, f"{truck!r} is not configured", truck)
    decoded = decode(sender.profile, position, now_ms)
    if Reason.ABSURD_TIME in decoded.refused or position.get(sender.profile.time_key) is None:
        return Missed(place, Reason.ABSURD_TIME, f"{sender.profile.time_key} is missing or absurd")
    if any(decoded.values.get(name) is None for name in _PLACE):
        return Missed(place, Reason.OUT_OF_BOUNDS, "latitude and longitude in degrees, WGS-84, are expected")
    quality = decoded.quality | (Quality.STALE if now_ms - decoded.time_ms > LATE_MS else 0)
    values = {name: value for name, value in decoded.values.items() if value is not None}
    if values.setdefault("fix", True) is False:  # a position without a fix is none
        values = {name: value for name, value in values.items() if name not in _WHEREABOUTS}
    return Reading(sender.device, Kind.TRUCK, decoded.time_ms, values | {"received": now_ms}, int(quality))
