"""The retained documents and health: who is there, what it serves, how it fares."""

from typing import Annotated, Any, TypeVar

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import is_id
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES
from lamplighter_contract.wire.version import WIRE_VERSION

Text = Annotated[str, msgspec.Meta(max_length=200)]


class ClockState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a gateway has its time from (rtc, ntp, controller, gnss, saved, none) and how far it may be off."""

    source: Text
    uncertainty_ms: float


class GatewayState(msgspec.Struct, frozen=True):
    """Birth (`online`) or will of a gateway. A will counts only when its boot is that of the last birth."""

    boot: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    online: bool
    version: Text = ""
    plan_version: int = 0
    config_version: int = 0
    config_source: Text = ""
    highest_seq: int = 0
    clock: ClockState | None = None
    rate: float = 1.0
    compress: bool = False
    v: int = WIRE_VERSION


class DeviceEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One device a gateway serves; the address says bus and unit in the wire's own terms."""

    device: str
    kind: Kind
    profile: Text
    address: Text
    capabilities: tuple[Text, ...] = ()
    name: dict[str, Text] = {}
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None


class DevicesDocument(msgspec.Struct, frozen=True):
    """Everything a gateway serves."""

    devices: Annotated[tuple[DeviceEntry, ...], msgspec.Meta(max_length=10_000)]
    v: int = WIRE_VERSION


class BusHealth(msgspec.Struct, frozen=True, omit_defaults=True):
    """One bus: whether it is connected, its cycle and how full it is, what went wrong since start."""

    bus: Text
    wire: Text
    connected: bool
    devices: int = 0
    silent: int = 0
    cycle_s: float = 0.0
    utilisation: float = 0.0
    requests: int = 0
    timeouts: int = 0
    crc_errors: int = 0
    exceptions: int = 0
    refused: int = 0


class SpoolHealth(msgspec.Struct, frozen=True, omit_defaults=True):
    """The spool: rows not yet stored by the centre, their bytes and age, and what had to be dropped."""

    waiting: int
    bytes: int
    oldest_ms: int | None = None
    dropped: int = 0
    state: Text = "ok"


class Health(msgspec.Struct, frozen=True):
    """How a gateway fares; `time` in civil epoch ms."""

    boot: Text
    time: int
    buses: Annotated[tuple[BusHealth, ...], msgspec.Meta(max_length=1000)]
    spool: SpoolHealth
    disk_free_bytes: int | None = None
    rss_bytes: int | None = None
    clock: ClockState | None = None
    counters: dict[str, int] = {}
    v: int = WIRE_VERSION


class ControllerState(msgspec.Struct, frozen=True):
    """Whether the centre is there and storing; acks count only from the highest epoch seen."""

    controller: Text
    boot: Text
    epoch: int
    online: bool
    storing: bool
    v: int = WIRE_VERSION


D = TypeVar("D", GatewayState, DevicesDocument, Health, ControllerState)
Document = GatewayState | DevicesDocument | Health | ControllerState


def encode(document: Document) -> bytes:
    """The document as it is sent."""
    return msgspec.json.encode(document)


def decode(payload: bytes, kind: type[D]) -> D | Refusal:
    """Read a document of that kind; unknown fields are ignored."""
    if len(payload) > MAX_DOCUMENT_BYTES:
        return Refusal(Reason.TOO_LARGE, f"{len(payload)} bytes")
    try:
        document = msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Refusal(Reason.MALFORMED, f"{kind.__name__}: {error}")
    if document.v != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {document.v}")
    if isinstance(document, DevicesDocument) and not all(is_id(entry.device) for entry in document.devices):
        return Refusal(Reason.MALFORMED, "devices: an id is not well-formed")
    return document


def as_json(document: Document) -> Any:
    """The document as plain JSON values."""
    return msgspec.to_builtins(document)
