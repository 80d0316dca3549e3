"""Energy metered at the cabinet against a stated baseline, and where the difference comes from."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from lamplighter_controller.lighting.inventory import Day, Id, Label, Watts
from lamplighter_controller.lighting.proof.power.tariff import Used

Degrees = Annotated[float, msgspec.Meta(ge=-18, le=5)]


class Baseline(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would be used without any of it: the lamps that stood there before, at full power, all hours of darkness.

    `former_w`: what the luminaire that a model has replaced drew from the mains, ballast included, by model; a model
    that is not named counts with its own full power. Darkness is between two elevations of the sun.
    """

    name: Label = "the same lamps at full power from sunset to sunrise"
    valid_from: Day = "1970-01-01"
    dusk_deg: Degrees = -0.833
    dawn_deg: Degrees = -0.833
    former_w: dict[Id, Watts] = {}
    source: Label = ""


@dataclass(frozen=True, slots=True)
class CabinetNight:
    """One supply point and one night, in kWh.

    Args:
        cabinet: its id, which is its meter's device; empty for lamps of no known supply point.
        account: its electricity account, empty when it has none.
        tariff: the tariff it is billed by.
        lamps: how many are fed from it.
        without_model: of these, how many have an unknown power and are in none of the sums but the metered one.
        metered: None when the meter told nothing that can be dated.
        gap_ms: time of the night that no two readings of the meter enclose.
        undated: told in this night, counted since a reading more than a day before; in no other sum.
        bands: the metered energy by local day and band of the tariff.
        base: by the baseline.
        full: these lamps at full power for the baseline's hours.
        hours: these lamps at full power for the hours of the plan.
        planned: these lamps by the plan, its levels and constant light output included.
        dark: of the planned, what lamps did not use because they were proven dark.
        standby: metered while all of its lamps are to be off.
    """

    cabinet: str
    account: str
    tariff: str
    lamps: int
    without_model: int
    metered: float | None
    gap_ms: int
    bands: tuple[Used, ...]
    base: float
    full: float
    hours: float
    planned: float
    dark: float
    standby: float
    undated: float = 0.0


@dataclass(frozen=True, slots=True)
class Split:
    """Baseline less metered, in kWh: `led + hours + dimming + dark - standby - unexplained` is `saved`.

    `dark` is no saving: it was not used because lamps were dead. What may be claimed is `saved - dark`.
    """

    base: float
    metered: float
    led: float
    hours: float
    dimming: float
    dark: float
    standby: float
    unexplained: float

    @property
    def saved(self) -> float:
        """Baseline less metered."""
        return self.base - self.metered

    @property
    def claimed(self) -> float:
        """What the saving is without the light that failed."""
        return self.saved - self.dark

    @property
    def claimed_percent(self) -> float | None:
        """The claim as a share of the baseline."""
        return None if self.base <= 0 else self.claimed / self.base * 100


@dataclass(slots=True)
class Sum:
    """Nights of supply points added up; those without a metered value stand apart and are in no saving."""

    key: str
    cabinets: set[str] = field(default_factory=set)
    metered: float = 0.0
    undated: float = 0.0
    unmetered: int = 0
    gap_ms: int = 0
    without_model: int = 0
    charged: dict[tuple[str, str, str], float] = field(default_factory=dict)  # tariff, day, band -> kWh
    parts: list[CabinetNight] = field(default_factory=list)

    def add(self, one: CabinetNight) -> None:
        """Take one night of one supply point."""
        self.cabinets.add(one.cabinet)
        self.gap_ms += one.gap_ms
        self.undated += one.undated
        self.without_model = max(self.without_model, one.without_model)
        if one.metered is None:
            self.unmetered += 1
            return
        self.metered += one.metered
        self.parts.append(one)
        for used in one.bands:
            key = (one.tariff, used.day, used.band)
            self.charged[key] = self.charged.get(key, 0.0) + used.kwh

    def split(self) -> Split | None:
        """Where the difference comes from; None when nothing was metered."""
        return split(self.parts) if self.parts else None


def split(nights: Iterable[CabinetNight]) -> Split:
    """The saving of metered nights, by where it comes from."""
    those = [one for one in nights if one.metered is not None]
    base, full, hours, planned, dark, standby, metered = (
        sum(getattr(one, name) for one in those)
        for name in ("base", "full", "hours", "planned", "dark", "standby", "metered")
    )
    return Split(
        base=base,
        metered=metered,
        led=base - full,
        hours=full - hours,
        dimming=hours - planned,
        dark=dark,
        standby=standby,
        unexplained=metered - (planned - dark + standby),
    )


def sums(nights: Iterable[CabinetNight], by: str) -> list[Sum]:
    """Nights of supply points by `account`, `cabinet` or `city`, by key; those without an account under ``""``."""
    found: dict[str, Sum] = {}
    for one in nights:
        key = {"account": one.account, "cabinet": one.cabinet}.get(by, "city")
        found.setdefault(key, Sum(key)).add(one)
    return [found[key] for key in sorted(found)]
