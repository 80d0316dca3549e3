"""What a gateway is told by its configuration, once checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from lamplighter_gateway.profiles.model import Profile


class Wire(StrEnum):
    """What a bus is made of."""

    MODBUS_TCP = "modbus-tcp"
    MODBUS_RTU = "modbus-rtu"
    MQTT = "mqtt"
    JT808 = "jt808"
    RELAY = "relay"

    @property
    def is_modbus(self) -> bool:
        """True for both forms of Modbus."""
        return self in (Wire.MODBUS_TCP, Wire.MODBUS_RTU)


class Parity(StrEnum):
    """Parity bit of a serial line."""

    NONE = "N"
    EVEN = "E"
    ODD = "O"


@dataclass(frozen=True, slots=True)
class Tls:
    """Files for TLS; a client certificate only where the broker asks for one."""

    ca: Path
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Uplink:
    """The broker that leads to the controller; the user name is the gateway's id.

    After an outage the backlog begins after a random part of `backlog_delay_s`, so that a city does not return at once.
    """

    host: str
    port: int
    password_file: Path | None
    tls: Tls | None
    keepalive_s: int
    backlog_per_s: float = 50
    backlog_delay_s: float = 5


@dataclass(frozen=True, slots=True)
class Reporting:
    """Report by exception, in real seconds: at most every `interval_s`, at least every `heartbeat_s`.

    While a lamp is dark, `day_interval_s` and `day_heartbeat_s` hold for it. Readings that press wait for nobody;
    others are gathered for `gather_s`, so that one frame carries many. Health is told every `health_s` and on change.
    """

    interval_s: float
    heartbeat_s: float
    compress: bool
    gather_s: float = 1
    health_s: float = 300
    day_interval_s: float | None = None
    day_heartbeat_s: float | None = None


@dataclass(frozen=True, slots=True)
class SpoolLimits:
    """How much is kept for the controller, and how long after it was stored there."""

    max_mib: int
    keep_h: float


@dataclass(frozen=True, slots=True)
class TruckRules:
    """How long frames of trucks are kept as they came, and how much room they take; whether we lock lifts at all."""

    frames_h: float = 72
    frames_mib: int = 256
    lift_lock: bool = False


@dataclass(frozen=True, slots=True)
class Lighting:
    """How the gateway switches by itself.

    Lamps and circuits are switched on so many per bus and civil second, 0 = all at once. Without a usable plan or clock
    its light sensors want light below `on_lux` and none above `off_lux`.
    """

    switch_ons_per_s: float = 5
    on_lux: float = 50
    off_lux: float = 100


class Rules(StrEnum):
    """Who says what buses and devices there are; the other is refused and told so."""

    LOCAL = "local"
    CENTRAL = "central"


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who rules, and after how many real minutes a changed configuration that cut something off is taken back."""

    rules: Rules = Rules.LOCAL
    trial_min: float = 10


@dataclass(frozen=True, slots=True)
class Updating:
    """How long a new version has, in real minutes, to show that it fares as well as the one before."""

    health_min: float = 10


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where Prometheus reads; loopback unless told otherwise."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class LocalPage:
    """Where crews find the page that needs no centre; HTTPS only."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class TcpBus:
    """Modbus TCP: one endpoint, perhaps a serial line behind it. `window` questions may be underway at once."""

    id: str
    host: str
    port: int
    timeout_s: float
    window: int = 1

    @property
    def wire(self) -> Wire:
        """What it is made of."""
        return Wire.MODBUS_TCP


@dataclass(frozen=True, slots=True)
class SerialBus:
    """Modbus RTU on a serial port; `timeout_s` is what a unit may think, wire time comes on top."""

    id: str
    device: str
    baud: int
    parity: Parity
    stop_bits: int
    timeout_s: float

    @property
    def wire(self) -> Wire:
        """What it is made of."""
        return Wire.MODBUS_RTU


@dataclass(frozen=True, slots=True)
class FieldBroker:
    """An MQTT broker beside the gateway."""

    id: str
    host: str
    port: int
    user: str | None
    password_file: Path | None
    tls: Tls | None

    @property
    def wire(self) -> Wire:
        """What it is made of."""
        return Wire.MQTT


@dataclass(frozen=True, slots=True)
class TrackerServer:
    """A port that JT/T 808 terminals call; their codes are made with what is in `secret_file`, or in a file of ours."""

    id: str
    host: str
    port: int
    secret_file: Path | None = None

    @property
    def wire(self) -> Wire:
        """What it is made of."""
        return Wire.JT808


@dataclass(frozen=True, slots=True)
class RelayServer:
    """A port to which another platform posts what its trucks tell; what it signs with stands in `secret_file`.

    Without certificate and key it is plain HTTP, for a proxy before it.
    """

    id: str
    host: str
    port: int
    secret_file: Path
    certificate: Path | None = None
    key: Path | None = None

    @property
    def wire(self) -> Wire:
        """What it is made of."""
        return Wire.RELAY


Bus = TcpBus | SerialBus | FieldBroker | TrackerServer | RelayServer


@dataclass(frozen=True, slots=True)
class Device:
    """One device; `unit` and `offset` (registers) on Modbus, `address` on MQTT. Position WGS-84; `name` by language."""

    id: str
    bus: str
    profile: Profile
    unit: int = 0
    offset: int = 0
    address: str = ""
    poll_s: float = 10
    latitude: float | None = None
    longitude: float | None = None
    name: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything one gateway is told. `version` changes with any byte of the files, or of what the centre says."""

    gateway: str
    version: str
    data: Path
    clock: Path | None
    root_key: str
    uplink: Uplink
    report: Reporting
    spool: SpoolLimits
    metrics: Metrics | None
    buses: tuple[Bus, ...]
    devices: tuple[Device, ...]
    light: Lighting = Lighting()
    trucks: TruckRules = TruckRules()
    ruling: Ruling = Ruling()
    updating: Updating = Updating()
    number: int = 0  # what the birth tells as its version
    page: LocalPage | None = None

    def devices_on(self, bus: str) -> tuple[Device, ...]:
        """The devices of one bus, in the order of the file."""
        return tuple(device for device in self.devices if device.bus == bus)
