"""Reading a list of quantities from a query."""

from typing import Final

from lamplighter_contract.quantities import Kind, quantity
from lamplighter_controller.api.problems import refused

MAX_QUANTITIES: Final = 16


def chosen(kind: Kind, text: str) -> list[str]:
    """The canonical names in a comma-separated list.

    Raises:
        Problem: one is unknown, or there are too many.
    """
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    if len(names) > MAX_QUANTITIES:
        raise refused("query.quantities", "too-many", f"At most {MAX_QUANTITIES} quantities at once.")
    unknown = [name for name in names if quantity(kind, name) is None]
    if unknown:
        raise refused("query.quantities", "unknown-quantity", f"A {kind} has no {unknown[0][:60]!r}.")
    return names
