"""The quantity that a field of a profile names."""

from lamplighter_contract.quantities import QUANTITIES, Kind, Quantity, quantity
from lamplighter_gateway.config.section import Section


def read_quantity(section: Section, kind: Kind) -> Quantity:
    """The canonical quantity at `quantity`; an unknown one is noted."""
    name = section.text("quantity")
    known = quantity(kind, name)
    if known is None:
        if name:
            section.wrong("quantity", f"a quantity of a {kind}: {', '.join(QUANTITIES[kind])}")
        return Quantity("", "")
    return known
