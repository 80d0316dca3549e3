"""What terminals tell of loads and drivers: electronic waybills (JT/T 808, 0x0701), driver's cards (0x0702). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.waybills.waybill import Driving

NUMBER_LENGTH: Final = 64
CARD_HOLDS_MS: Final = 24 * 3_600_000  # a card that nobody drew out is in for a day at most
IN: Final = 1
Detail = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A waybill as a terminal told it; what its content does not say is empty."""

    truck: str
    time_ms: int
    content: str
    number: str = ""
    site: str = ""
    ground: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A driver's card put in or drawn out; `result` 0 = it could be read. Civil ms."""

    truck: str
    time_ms: int
    inserted: bool
    result: int | None = None
    name: str = ""
    licence: str = ""
    agency: str = ""
    valid_until: str = ""


def waybill(truck: str, time_ms: int, detail: Detail) -> Told:
    """The standard leaves the content to the maker: JSON is understood, all else is kept as it is."""
    content = str(detail.get("waybill", ""))
    try:
        document = msgspec.json.decode(content)
    except msgspec.DecodeError:
        document = None
    if not isinstance(document, dict):
        return Told(truck, time_ms, content)
    number, site, ground = (_text(document.get(name)) for name in ("waybill", "site", "ground"))
    return Told(truck, time_ms, content, number, site, ground)


def card(truck: str, time_ms: int, detail: Detail) -> Card:
    """What a reader told of a card."""
    result = detail.get("result")
    words = (_text(detail.get(name)) for name in ("name", "licence", "agency", "valid_until"))
    return Card(
        truck,
        time_ms,
        detail.get("card") == IN,
        result if isinstance(result, int) and not isinstance(result, bool) else None,
        *words,
    )


def driving(card: Card | None, now_ms: int, city: City) -> Driving:
    """Who drives by the last card of a truck; nobody is made up where none is in."""
    if card is None or not card.inserted or card.result != 0 or now_ms - card.time_ms > CARD_HOLDS_MS:
        return Driving()
    known = (one.id for one in city.register.drivers.values() if one.licence and one.licence == card.licence)
    return Driving(next(known, None), " ".join(word for word in (card.name, card.licence) if word))


def _text(value: object) -> str:
    return value.strip()[:NUMBER_LENGTH] if isinstance(value, str) else ""
