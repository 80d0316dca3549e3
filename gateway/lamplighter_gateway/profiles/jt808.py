"""The `jt808` part of a profile: what the maker's bits of the status word mean, and how limits are set."""

from typing import Final

from lamplighter_contract.quantities import Form, Kind
from lamplighter_gateway.config.section import Section
from lamplighter_gateway.profiles.model import Fences, Limiter, StatusField, TrackerMap
from lamplighter_gateway.profiles.quantities import read_quantity

STATUS_BITS: Final = 32


def read_tracker_map(section: Section, kind: Kind) -> TrackerMap:
    """Decode the part; what is wrong is noted in the section."""
    if kind is not Kind.TRUCK:
        section.wrong("status", "the part jt808 in profiles of trucks only")
    fields = tuple(_read_field(item, kind) for item in section.sections("status", STATUS_BITS))
    names = [field.quantity.name for field in fields]
    if len(set(names)) < len(names):
        section.wrong("status", "each quantity once")
    found = TrackerMap(
        section.number("heartbeat_s", 1, 86_400, 60),
        fields,
        section.word("limiter", Limiter, Limiter.NONE),
        section.flag("ends_limits", default=False),
        section.number("settle_s", 1, 300, 30),
        section.word("fences", Fences, Fences.STANDARD),
    )
    section.close()
    return found


def _read_field(section: Section, kind: Kind) -> StatusField:
    quantity = read_quantity(section, kind)
    words = section.words("words")
    bit = section.integer("bit", 0, STATUS_BITS - 1)
    width = section.integer("width", 1, 4, 1)
    if bit + width > STATUS_BITS:
        section.wrong("width", f"bits within the {STATUS_BITS} of the status word")
    if quantity.form is Form.CHOICE:
        _check_words(section, quantity.choices, words, width)
    elif quantity.name and (words or quantity.form is not Form.FLAG):
        section.wrong("words", f"words for a quantity of several ones, and none for {quantity.name}")
    section.close()
    return StatusField(quantity, bit, width, words)


def _check_words(section: Section, choices: tuple[str, ...], words: tuple[str, ...], width: int) -> None:
    if len(words) != 1 << width or not set(words) <= set(choices):
        section.wrong("words", f"{1 << width} of {', '.join(choices)}, one for each value of {width} bits")
