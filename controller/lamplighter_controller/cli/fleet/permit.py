"""`lamplighter permit`: which truck may carry from where to where."""

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table


@click.group()
def permit() -> None:
    """Permits: listed, suspended, all suspended on a red-alert day."""


@permit.command("list")
@as_json
@asks
def list_(session: Session, as_json: bool) -> None:
    """All permits."""
    found = session.api.every("/fleet/permits")
    header = ("permit", "truck", "from", "to", "issued", "expires", "suspended")
    names = ("id", "truck", "site", "ground", "issued", "expires", "suspended")
    rows = [[one["thing"].get(name) for name in names] for one in found]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@permit.command()
@click.argument("permit")
@click.option("--end", is_flag=True, help="Let it hold again.")
@reason
@as_json
@asks
def suspend(session: Session, permit: str, end: bool, reason: str, as_json: bool) -> None:
    """Suspend one permit."""
    found = session.api.send("POST", f"/fleet/permits/{permit}/suspend", {"suspended": not end, "reason": reason})
    tell(found, as_json=as_json, lines=lambda: [f"{permit}: {'holds again' if end else 'suspended'}"])


@permit.command("red-alert")
@click.option("--end", is_flag=True, help="Let permits hold again.")
@reason
@as_json
@asks
def red_alert(session: Session, end: bool, reason: str, as_json: bool) -> None:
    """Suspend all permits in one action."""
    found = session.api.send("PUT", "/fleet/red-alert", {"thrown": not end, "reason": reason})
    tell(found, as_json=as_json, lines=lambda: ["permits hold again" if end else "no permit holds"])
