"""What one gateway is, apart from its devices and wires."""

from dataclasses import dataclass, field
from pathlib import Path

from lamplighter_contract.wire.documents import BusEntry
from lamplighter_gateway.light.photocell import Dusk
from lamplighter_gateway.light.switching import Switching
from lamplighter_gateway.spool.frames import Limits
from lamplighter_gateway.trucks.evidence.store import FrameLimits
from lamplighter_gateway.uplink.lanes import Timing


@dataclass(slots=True)
class InForce:
    """The configuration in force, as the birth tells it; it may change while the gateway runs."""

    number: int = 0
    source: str = "local"


@dataclass(frozen=True, slots=True)
class Settings:
    """The parts of a configuration that hold from one start to the next."""

    gateway: str
    data: Path
    root_key: bytes | None = None
    config: InForce = field(default_factory=InForce)
    compress: bool = False
    limits: Limits = field(default_factory=Limits)
    timing: Timing = field(default_factory=Timing)
    metrics: tuple[str, int] | None = None
    rate: float = 1.0
    switching: Switching = field(default_factory=Switching)
    dusk: Dusk = field(default_factory=Dusk)
    buses: tuple[BusEntry, ...] = ()
    frames: FrameLimits = field(default_factory=FrameLimits)
    lift_lock: bool = False
