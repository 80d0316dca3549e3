"""Options that several commands have in common."""

import re
from typing import Any, Final

import click

from lamplighter_gateway.commissioning.language import Language

_RANGE: Final = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")


class Units(click.ParamType[range]):
    """A range of unit numbers."""

    name = "units"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> range:
        """Two numbers with a hyphen, or one."""
        found = _RANGE.fullmatch(str(value))
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
        if not 1 <= first <= last <= 255:
            self.fail(f"{value!r}: expected units such as 1-92, each 1 to 255", param, ctx)
        return range(first, last + 1)


LANGUAGE: Final = click.option(
    "--language", type=click.Choice([str(one) for one in Language]), default="en", show_default=True
)
JSON: Final = click.option("--json", "as_json", is_flag=True, help="Everything that was seen, for a program.")
