"""How many waybills closed their loop. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class By(StrEnum):
    """What closed loops are counted by."""

    COMPANY = "company"
    SITE = "site"
    GROUND = "ground"
    TRUCK = "truck"


@dataclass(frozen=True, slots=True)
class Handled:
    """What a site gave, or a ground took."""

    loads: int
    volume_m3: float


@dataclass(frozen=True, slots=True)
class Closure:
    """Waybills of one company, site, ground or truck. `seen`: closed by what the truck did, not by a paper alone.

    `elsewhere` unloaded at another place than the ground; `open_`: nobody knows of an unloading.
    """

    name: str
    waybills: int
    closed: int
    seen: int
    elsewhere: int
    open_: int
