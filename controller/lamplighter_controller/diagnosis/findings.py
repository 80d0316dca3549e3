"""What diagnosis says of one element: the class with its probability over alternatives, since when, and why."""

from dataclasses import dataclass
from enum import StrEnum


class ElementKind(StrEnum):
    """What can be broken; from the utility's side down to the lamp. `protector`: a residual-current device."""

    CITY = "city"
    TRANSFORMER = "transformer"
    CABINET = "cabinet"
    PHASE = "phase"
    CIRCUIT = "circuit"
    FEEDER = "feeder"
    PROTECTOR = "protector"
    POLE = "pole"
    LAMP = "lamp"
    GATEWAY = "gateway"
    MODEL = "model"


@dataclass(frozen=True, slots=True, order=True)
class Element:
    """One node of the supply tree. A phase is `<cabinet>/a`; a cable cut names the first pole that is dead."""

    kind: ElementKind
    id: str


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One measured reason.

    Args:
        name: key of its wording in the catalogue's list of evidence (`power`, `power_factor`, `cabinet_power`, ...).
        value: what was measured, in `unit`.
        expected: what a healthy element would show, NaN = nothing can be expected.
        sigma: standard deviation of a healthy value around `expected`, in `unit`, NaN = a count or a flag.
        samples: readings behind it.
        unit: as in the contract's quantities.
    """

    name: str
    value: float
    expected: float
    sigma: float
    samples: int
    unit: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or (`open` False) that evidence says is well again.

    One finding stands per element and first class; a later one for the same element replaces it.

    Args:
        element: what it is about.
        alternatives: (class id of the catalogue, probability), most likely first, summing to 1.
        onset_ms: when it began, as well as the data tell.
        first_observable_ms: the first reading that differs from a healthy one.
        evidence: strongest first.
        members: elements folded under this one: they are silent or abnormal because of it.
        settle: key of what would settle the doubt (catalogue `settle` texts), "" = nothing in doubt.
        open: False when evidence clears it.
    """

    element: Element
    alternatives: tuple[tuple[str, float], ...]
    onset_ms: int
    first_observable_ms: int
    evidence: tuple[EvidenceLine, ...] = ()
    members: tuple[Element, ...] = ()
    settle: str = ""
    open: bool = True

    @property
    def class_id(self) -> str:
        """The most likely class."""
        return self.alternatives[0][0]

    @property
    def confidence(self) -> float:
        """The probability of the most likely class."""
        return self.alternatives[0][1]
