"""What a device profile says, once checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lamplighter_contract.quantities import Kind, Quantity
from lamplighter_gateway.drivers.port import Point


class Table(StrEnum):
    """The four address spaces of Modbus."""

    HOLDING = "holding"
    INPUT = "input"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def is_bits(self) -> bool:
        """True for the two tables that hold single bits."""
        return self in (Table.COIL, Table.DISCRETE)


class Type(StrEnum):
    """How a value lies in registers."""

    FLAG = "flag"  # zero is false
    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    FLOAT32 = "float32"
    BITS = "bits"  # `width` bits of one register, from `bit` up

    @property
    def registers(self) -> int:
        """Registers it takes."""
        return 2 if self in (Type.UINT32, Type.INT32, Type.FLOAT32) else 1


class Order(StrEnum):
    """Order of the bytes of a 32-bit value, A the highest; one register follows the order within its words."""

    ABCD = "ABCD"
    DCBA = "DCBA"
    BADC = "BADC"
    CDAB = "CDAB"


@dataclass(frozen=True, slots=True)
class Register:
    """Where and how a value lies: canonical value = raw · scale + offset."""

    table: Table
    address: int
    type: Type
    scale: float = 1
    offset: float = 0
    order: Order = Order.ABCD
    bit: int = 0
    width: int = 16


@dataclass(frozen=True, slots=True)
class RegisterField:
    """One quantity read from registers; a raw value equal to `not_read` in every register means "not available"."""

    quantity: Quantity
    register: Register
    not_read: int | None = None
    deadband: float | None = None


@dataclass(frozen=True, slots=True)
class ReadBack:
    """How a write proves itself: `quantity` within `tolerance` of what was written, `settle_s` seconds at most.

    A device told to go dark must also draw less than `dark_below_w`, where the profile says so.
    """

    quantity: str
    tolerance: float
    settle_s: float
    dark_below_w: float | None = None


@dataclass(frozen=True, slots=True)
class RegisterWrite:
    """How a point is written; `value` is fixed by the profile where not None (canonical units)."""

    register: Register
    minimum: float
    maximum: float
    value: float | None = None
    read_back: ReadBack | None = None
    broadcast: bool = False


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """A device on Modbus; one that is `deaf` takes no broadcast, so that one meant for others may pass it.

    `number`: where the unit's own number is written; None where the maker offers no register for it.
    """

    max_registers: int
    read: tuple[RegisterField, ...]
    write: Mapping[Point, RegisterWrite] = field(default_factory=dict)
    deaf: bool = False
    number: RegisterWrite | None = None


@dataclass(frozen=True, slots=True)
class JsonField:
    """One quantity read from a key of a JSON object."""

    quantity: Quantity
    key: str
    scale: float = 1
    offset: float = 0
    deadband: float | None = None


@dataclass(frozen=True, slots=True)
class JsonWrite:
    """How a point is written: `{key: raw}` published to `topic`."""

    topic: str
    key: str
    minimum: float
    maximum: float
    scale: float = 1
    offset: float = 0
    value: float | bool | str | None = None
    read_back: ReadBack | None = None


@dataclass(frozen=True, slots=True)
class JsonMap:
    """A device that publishes JSON; topics hold `{address}`. It is expected to speak every `heartbeat_s` seconds.

    Times it tells are `time_scale` ms each. `ends_limits`: a tracker that itself ends the limits it was given.
    """

    state_topic: str
    ask_topic: str | None
    time_key: str | None
    heartbeat_s: float
    read: tuple[JsonField, ...]
    write: Mapping[Point, JsonWrite] = field(default_factory=dict)
    time_scale: int = 1
    ends_limits: bool = False


@dataclass(frozen=True, slots=True)
class StatusField:
    """One quantity in the status word of a tracker: `words` by its raw value, a flag where there are none."""

    quantity: Quantity
    bit: int
    width: int = 1
    words: tuple[str, ...] = ()


class Limiter(StrEnum):
    """Which messages set limits on a tracker."""

    NONE = "none"
    ZT_8F = "zt-8f"  # 0x8F02 and 0x8F03


class Fences(StrEnum):
    """Which messages set fences on a tracker."""

    STANDARD = "standard"
    ZT_8F = "zt-8f"  # 0x8F08 to 0x8F0B for what a muck truck works at, the standard's for the rest


@dataclass(frozen=True, slots=True)
class TrackerMap:
    """A terminal that speaks JT/T 808; it is expected to speak every `heartbeat_s` seconds.

    `ends_limits` says whether the terminal itself ends a limit; where it does not, each end is to be sent.
    """

    heartbeat_s: float
    status: tuple[StatusField, ...]
    limiter: Limiter = Limiter.NONE
    ends_limits: bool = False
    settle_s: float = 30.0
    fences: Fences = Fences.STANDARD


@dataclass(frozen=True, slots=True)
class RelayMap:
    """A truck as another platform forwards it: an object of JSON, expected every `heartbeat_s` seconds."""

    heartbeat_s: float
    time_key: str
    read: tuple[JsonField, ...]
    time_scale: int = 1


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of device as its maker built it."""

    name: str
    kind: Kind
    title: Mapping[str, str]
    capabilities: tuple[str, ...]
    modbus: RegisterMap | None = None
    mqtt: JsonMap | None = None
    jt808: TrackerMap | None = None
    relay: RelayMap | None = None

    @property
    def deadbands(self) -> Mapping[str, float | None]:
        """Quantity -> change that is worth a report; None = any change, at once."""
        fields: list[RegisterField | JsonField] = [
            *(self.modbus.read if self.modbus else ()),
            *(self.mqtt.read if self.mqtt else ()),
        ]
        return {each.quantity.name: each.deadband for each in fields}
