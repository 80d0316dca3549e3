"""`lamplighter crew`: who works together, where and when."""

from collections.abc import Sequence

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table


@click.group()
def crew() -> None:
    """Crews with their areas and shifts."""


@crew.command("list")
@as_json
@asks
def list_(session: Session, as_json: bool) -> None:
    """All crews."""
    found = session.api.get("/crews")["items"]
    rows = [
        (one["id"], one["name"], one["company"], f"{one['from_h']:g}-{one['until_h']:g} h", ", ".join(one["districts"]))
        for one in found
    ]
    tell(found, as_json=as_json, lines=lambda: table(("crew", "name", "company", "shift", "districts"), rows))


@crew.command()
@click.argument("crew")
@click.option("--name", default="")
@click.option("--company")
@click.option("--district", "districts", multiple=True, help="Several times; none: everywhere.")
@click.option("--road", "roads", multiple=True)
@click.option("--from-h", type=float, default=0.0, show_default=True)
@click.option("--until-h", type=float, default=24.0, show_default=True)
@click.option("--member", "members", multiple=True, help="Such as token:li; none: everybody with the right.")
@reason
@asks
def put(
    session: Session,
    crew: str,
    name: str,
    company: str | None,
    districts: Sequence[str],
    roads: Sequence[str],
    from_h: float,
    until_h: float,
    members: Sequence[str],
    reason: str,
) -> None:
    """Add or replace a crew; new orders of its area and shift go to it."""
    body = {
        "id": crew,
        "name": name,
        "company": company,
        "districts": list(districts),
        "roads": list(roads),
        "from_h": from_h,
        "until_h": until_h,
        "members": list(members),
    }
    session.api.send("PUT", "/crews", {"crew": body, "reason": reason})
    click.echo(f"{crew}: kept")
