"""What diagnosis has to be told about a city by whoever knows: places, models, and what may be done by itself."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from lamplighter_controller.diagnosis.assembling import Places
from lamplighter_controller.diagnosis.incidents.clock import Sla
from lamplighter_controller.diagnosis.models import LampModel


@dataclass(frozen=True, slots=True)
class Supply:
    """Where everything hangs, and which luminaires there are."""

    places: Places = field(default_factory=Places)
    models: Mapping[str, LampModel] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """How the city wants incidents to be handled.

    Args:
        step_s: real seconds between two steps.
        step_ms: the same in civil time.
        checkpoint_s: real seconds between two checkpoints.
        dwell_s: real seconds at each level of an active test.
        tests_from_h, tests_until_h: local hours in which a doubtful lamp is tested without asking; equal = never.
    """

    step_s: float = 60.0
    step_ms: int = 60_000
    checkpoint_s: float = 300.0
    dwell_s: float = 60.0
    sla: Sla = field(default_factory=Sla)
    tests_from_h: float = 0.0
    tests_until_h: float = 0.0


FindSupply = Callable[[], Awaitable[Supply]]
