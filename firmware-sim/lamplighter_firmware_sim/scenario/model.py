"""The scenario as values, after everything in it was checked."""

from dataclasses import dataclass, field
from enum import StrEnum

from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_firmware_sim.faults.kinds import FaultSpan


class Wire(StrEnum):
    """What the lamps of a cabinet speak; the cabinet itself is on Modbus TCP beside MQTT lamps."""

    MODBUS_TCP = "modbus-tcp"
    MODBUS_RTU = "modbus-rtu"
    MQTT = "mqtt"


class Technology(StrEnum):
    """What makes the light."""

    LED = "led"
    HPS = "hps"


class Physics(StrEnum):
    """Whether the city lives or stands still; still costs nothing beside the wires."""

    LIVE = "live"
    STATIC = "static"


@dataclass(frozen=True, slots=True)
class Name:
    """A name for people, in both languages of the screens."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Road(Name):
    """A road by its name, and how important it is."""

    road_class: RoadClass = RoadClass.SECONDARY


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the road grid lies. WGS-84 degrees of its centre; road spacing in metres."""

    latitude: float
    longitude: float
    block_m: float = 420.0
    pole_m: float = 35.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CabinetGroup:
    """Equal cabinets that every gateway serves: how many, on which wire, with how many lamps each.

    `loop_lamps` have no controller and hang on an all-night and a half-night loop with as many each: full light while
    the loop's contactor is closed, and the cabinet's meter counts it.
    """

    wire: Wire
    cabinets: int
    lamps: int
    loop_lamps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialLine:
    """How the RTU lines run and how long a slave thinks before it answers."""

    baud: int = 115_200
    parity: str = "N"
    stop_bits: int = 1
    turnaround_ms: float = 5.0

    @property
    def character_s(self) -> float:
        """Seconds that one character takes: start bit, eight data bits, parity, stop bits."""
        return (9 + (self.parity != "N") + self.stop_bits) / self.baud

    @property
    def silence_s(self) -> float:
        """Seconds of silence that end a frame: 3.5 characters, fixed at 1.75 ms above 19,200 baud."""
        return 0.00175 if self.baud > 19_200 else 3.5 * self.character_s


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLine:
    """How MQTT lamps report: at least every `heartbeat_s` real seconds, and on change."""

    heartbeat_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LampModel:
    """One kind of luminaire; `share` of the city's lamps are of it, new ones give `begin_percent` of full power."""

    name: str
    technology: Technology
    rated_w: float
    share: float
    begin_percent: float = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledFault:
    """A fault that the scenario brings by itself."""

    kind: str
    target: str
    span: FaultSpan
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that makes one simulated city; equal scenarios make equal cities."""

    name: str
    seed: int
    place: Place
    gateways: int
    groups: tuple[CabinetGroup, ...]
    models: tuple[LampModel, ...]
    roads: tuple[Road, ...]
    districts: tuple[Name, ...] = ()
    zone: str = "Asia/Shanghai"
    serial: SerialLine = field(default_factory=SerialLine)
    field_line: FieldLine = field(default_factory=FieldLine)
    physics: Physics = Physics.LIVE
    faults: tuple[ScheduledFault, ...] = ()
