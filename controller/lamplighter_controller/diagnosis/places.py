"""Where things hang, one value each, as any source tells it: a file, the inventory, a gateway's list of devices."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CabinetPlace:
    """A supply point. `meter` is the device that measures it, empty = none; `transformer` empty = not known.

    Args:
        isolates: a leaking circuit of it may be opened without asking a person first.
    """

    id: str
    meter: str = ""
    transformer: str = ""
    gateway: str = ""
    isolates: bool = False


@dataclass(frozen=True, slots=True)
class CircuitPlace:
    """A contactor with its breaker; its id is its device's. `phase` is a, b, c or abc, empty = not known."""

    id: str
    cabinet: str
    phase: str = ""
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class LampPlace:
    """A luminaire. `device` is its controller, empty = it has none and is only switched with its circuit.

    Args:
        feeder: name of the cable within its cabinet, empty = not known.
        order: place of its pole along the feeder, counted from the cabinet; None = not known.
    """

    id: str
    device: str = ""
    cabinet: str = ""
    circuit: str = ""
    phase: str = ""
    feeder: str = ""
    pole: str = ""
    order: int | None = None
    model: str = ""
    gateway: str = ""


@dataclass(frozen=True, slots=True)
class ProtectorPlace:
    """A residual-current device; without a circuit it guards the whole cabinet."""

    id: str
    cabinet: str
    circuit: str = ""
