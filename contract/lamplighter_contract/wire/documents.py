"""The retained documents and health: who is there, what it serves, how it fares."""

from collections import Counter
from typing import Annotated, Any, TypeVar

import msgspec

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.ids import are_ids
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.bounded import inflate
from lamplighter_contract.wire.fields import Boot, Count, Text, Whole
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES
from lamplighter_contract.wire.version import WIRE_VERSION


class ClockState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a gateway has its time from (rtc, ntp, controller, gnss, saved, none) and how far it may be off."""

    source: Text
    uncertainty_ms: float


class GatewayState(msgspec.Struct, frozen=True):
    """Birth (`online`) or will of a gateway. A will counts only when its boot is that of the last birth."""

    boot: Boot
    online: bool
    version: Text = ""
    plan_version: Count = 0
    config_version: Count = 0
    config_source: Text = ""
    highest_seq: Count = 0
    clock: ClockState | None = None
    rate: float = 1.0
    compress: bool = False
    isolated: tuple[Text, ...] = ()  # circuits that are to stay open
    locked: tuple[Text, ...] = ()  # devices that only the holder of their lock commands
    generation: Count = 0  # of the handover it has taken, 0 before the first
    v: int = WIRE_VERSION


class DeviceEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One device a gateway serves; the address says bus and unit in the wire's own terms.

    `view_only`: another platform forwards what it tells, and there is no way to command it.
    """

    device: str
    kind: Kind
    profile: Text
    address: Text
    capabilities: tuple[Text, ...] = ()
    name: dict[Text, Text] = {}
    latitude: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    view_only: bool = False


class BusEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A bus as shows are judged by: what it is made of, how fast it is, whether one message reaches all its units.

    The devices on it are those whose address begins with its name and a slash. `baud` None: no serial line.
    """

    bus: Text
    wire: Text
    baud: Annotated[int, msgspec.Meta(ge=300, le=4_000_000)] | None = None
    broadcast: bool = False


class DevicesDocument(msgspec.Struct, frozen=True):
    """Everything a gateway serves, and the buses it is reached by."""

    devices: Annotated[tuple[DeviceEntry, ...], msgspec.Meta(max_length=10_000)]
    v: int = WIRE_VERSION
    buses: Annotated[tuple[BusEntry, ...], msgspec.Meta(max_length=1_000)] = ()


class BusHealth(msgspec.Struct, frozen=True, omit_defaults=True):
    """One bus: whether it is connected, its cycle and how full it is, what went wrong since start.

    `refusals` counts by reason what it was sent and did not take.
    """

    bus: Text
    wire: Text
    connected: bool
    devices: Count = 0
    silent: Count = 0
    cycle_s: float = 0.0
    utilisation: float = 0.0
    requests: Count = 0
    timeouts: Count = 0
    crc_errors: Count = 0
    exceptions: Count = 0
    refused: Count = 0
    refusals: Annotated[dict[Text, Count], msgspec.Meta(max_length=100)] = {}


class SpoolHealth(msgspec.Struct, frozen=True, omit_defaults=True):
    """The spool: rows not yet stored by the centre, their bytes and age, and what had to be dropped."""

    waiting: Count
    bytes: Count
    oldest_ms: Whole | None = None
    dropped: Count = 0
    state: Text = "ok"


class Health(msgspec.Struct, frozen=True):
    """How a gateway fares; `time` in civil epoch ms."""

    boot: Text
    time: Whole
    buses: Annotated[tuple[BusHealth, ...], msgspec.Meta(max_length=1000)]
    spool: SpoolHealth
    disk_free_bytes: Count | None = None
    rss_bytes: Count | None = None
    clock: ClockState | None = None
    counters: dict[Text, Count] = {}
    v: int = WIRE_VERSION


class ControllerState(msgspec.Struct, frozen=True):
    """Whether the centre is there and storing; acks count only from the highest epoch seen."""

    controller: Text
    boot: Text
    epoch: Count
    online: bool
    storing: bool
    v: int = WIRE_VERSION


D = TypeVar("D", GatewayState, DevicesDocument, Health, ControllerState)
Document = GatewayState | DevicesDocument | Health | ControllerState


def encode(document: Document) -> bytes:
    """The document as it is sent."""
    return msgspec.json.encode(document)


def decode(payload: bytes, kind: type[D]) -> D | Refusal:
    """Read a document of that kind, compressed or not; unknown fields are ignored."""
    plain = inflate(payload, MAX_DOCUMENT_BYTES)
    if isinstance(plain, Refusal):
        return plain
    try:
        document = msgspec.json.decode(plain, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Refusal(Reason.MALFORMED, f"{kind.__name__}: {error}")
    if document.v != WIRE_VERSION:
        return Refusal(Reason.VERSION, f"v is {document.v}")
    return (_devices_refusal(document) if isinstance(document, DevicesDocument) else None) or document


def _devices_refusal(document: DevicesDocument) -> Refusal | None:
    names = [entry.device for entry in document.devices]
    if not are_ids(names):
        return Refusal(Reason.MALFORMED, "devices: an id is not well-formed")
    if len(set(names)) < len(names):
        return Refusal(Reason.MALFORMED, f"devices: {Counter(names).most_common(1)[0][0]} is there more than once")
    return None


def as_json(document: Document) -> Any:
    """The document as plain JSON values."""
    return msgspec.to_builtins(document)
