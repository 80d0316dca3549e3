"""`lamplighter road`: the night ahead of a whole road."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, tell
from lamplighter_controller.cli.lamp import DAY, PLAN, night


@click.group()
def road() -> None:
    """A road and all its lamps."""


@road.command()
@click.argument("road")
@DAY
@PLAN
@as_json
@asks
def tonight(session: Session, road: str, day: str | None, plan: int | None, as_json: bool) -> None:
    """A road's night from noon to noon; lamps with the same night stand together."""
    found = session.api.get(f"/roads/{road}/tonight", {"day": day, "plan": plan})
    tell(found, as_json=as_json, lines=lambda: _nights(session, found))


def _nights(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['road']} {found['name']} ({found['road_class']}): {found['lamps']:,} lamps"
    for alike in found["nights"]:
        lamps = alike["lamps"]
        yield f"{len(lamps):,} of them: {lamps[0]}" + (f" to {lamps[-1]}" if len(lamps) > 1 else "")
        yield from (f"  {line}" for line in night(session, alike["changes"]))
    if found["without_plan"]:
        yield f"{len(found['without_plan']):,} follow no plan: {', '.join(found['without_plan'][:10])} …"
