"""The supply tree of a campaign as columns, and what the books say of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.campaign.luminaires import MODELS

Index = NDArray[np.int64]
Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

PHASES: Final = "abc"
_TWIN_ARM: Final = 0.7  # share of poles that carry two luminaires
_CABINETS_PER_TRANSFORMER: Final = 4
_SECOND_MODEL: Final = 0.15  # share of lamps that are not of their cabinet's main model


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the city is; 92 lamps per supply point are usual."""

    cabinets: int = 24
    feeders: int = 6
    poles: int = 9


@dataclass(frozen=True)
class Network:
    """Lamps stand feeder by feeder, from the cabinet outwards. `book_` columns are what the inventory says."""

    size: Size
    pole: Index
    model: Index
    book_model: Index
    book_pole: Index
    switched: Mask  # (cabinets,) the contactor opens by day, so that its lamps are without supply
    program: Index  # (cabinets,)

    @cached_property
    def feeder(self) -> Index:
        """(N,) feeder of each lamp."""
        return self.pole // self.size.poles

    @cached_property
    def cabinet(self) -> Index:
        """(N,) cabinet of each lamp."""
        return self.feeder // self.size.feeders

    @cached_property
    def phase(self) -> Index:
        """(N,) phase of each lamp."""
        return self.feeder % len(PHASES)

    @cached_property
    def order(self) -> Index:
        """(N,) place of the lamp's pole along its feeder, 0 next to the cabinet."""
        return self.pole % self.size.poles

    @cached_property
    def transformer(self) -> Index:
        """(N,) transformer of each lamp."""
        return self.cabinet // _CABINETS_PER_TRANSFORMER

    @property
    def feeders(self) -> int:
        """Feeders in the whole city."""
        return self.size.cabinets * self.size.feeders

    @property
    def transformers(self) -> int:
        """Transformers in the whole city."""
        return -(-self.size.cabinets // _CABINETS_PER_TRANSFORMER)

    @cached_property
    def cabinet_transformer(self) -> Index:
        """(C,) transformer of each cabinet."""
        return np.arange(self.size.cabinets) // _CABINETS_PER_TRANSFORMER

    @cached_property
    def feeder_cabinet(self) -> Index:
        """(F,) cabinet of each feeder."""
        return np.arange(self.feeders) // self.size.feeders

    @cached_property
    def feeder_phase(self) -> Index:
        """(F,) phase of each feeder."""
        return np.arange(self.feeders) % len(PHASES)

    def __len__(self) -> int:
        """How many lamps there are."""
        return len(self.pole)

    def lamp_id(self, lamp: int) -> str:
        """Name of a lamp, which is also its controller's."""
        return f"l{self.cabinet[lamp]:03}-{lamp:05}"

    def pole_id(self, pole: int) -> str:
        """Name of a pole."""
        return f"p{pole:05}"

    def feeder_id(self, feeder: int) -> str:
        """Name of a feeder, which is also that of its contactor."""
        return f"c{feeder // self.size.feeders:03}-f{feeder % self.size.feeders}"

    def cabinet_id(self, cabinet: int) -> str:
        """Name of a supply point."""
        return f"c{cabinet:03}"

    def meter_id(self, cabinet: int) -> str:
        """Name of a supply point's meter."""
        return f"c{cabinet:03}-meter"

    def gateway_id(self, cabinet: int) -> str:
        """Name of a supply point's gateway."""
        return f"g{cabinet:03}"

    def phase_id(self, cabinet: int, phase: int) -> str:
        """Name of one phase of a supply point."""
        return f"c{cabinet:03}/{PHASES[phase]}"

    def transformer_id(self, transformer: int) -> str:
        """Name of a transformer."""
        return f"t{transformer:02}"


def build_network(random: np.random.Generator, size: Size, *, wrong_share: float = 0.0) -> Network:
    """A city of that size; of `wrong_share` of its lamps the books name another model, of fewer another feeder."""
    pole = np.repeat(np.arange(size.cabinets * size.feeders * size.poles), _arms(random, size))
    cabinet = pole // (size.poles * size.feeders)
    main = random.integers(0, len(MODELS), size.cabinets)
    other = random.integers(0, len(MODELS), len(pole))
    model = np.where(random.random(len(pole)) < _SECOND_MODEL, other, main[cabinet])
    return Network(
        size=size,
        pole=pole,
        model=model,
        book_model=_mistaken(random, model, wrong_share),
        book_pole=_misplaced(random, pole, size, 0.4 * wrong_share),
        switched=random.random(size.cabinets) < 0.25,
        program=random.integers(0, 4, size.cabinets),
    )


def _arms(random: np.random.Generator, size: Size) -> Index:
    return 1 + (random.random(size.cabinets * size.feeders * size.poles) < _TWIN_ARM).astype(np.int64)


def _mistaken(random: np.random.Generator, model: Index, share: float) -> Index:
    wrong = random.random(len(model)) < share
    return np.where(wrong, (model + random.integers(1, len(MODELS), len(model))) % len(MODELS), model)


def _misplaced(random: np.random.Generator, pole: Index, size: Size, share: float) -> Index:
    """The neighbouring feeder of the same cabinet, at the same distance."""
    wrong = random.random(len(pole)) < share
    within = pole // size.poles % size.feeders
    return np.where(wrong, pole + np.where(within == size.feeders - 1, -1, 1) * size.poles, pole)
