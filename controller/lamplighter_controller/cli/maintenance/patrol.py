"""`lamplighter patrol`: what has to be looked at, by which list, and what was found."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.maintenance.order import key
from lamplighter_controller.cli.table import table

CHECKS: Final = ("leakage", "protector", "grounding", "door", "tilt", "lit")


@click.group()
def patrol() -> None:
    """Inspection of roads and cabinets."""


@patrol.command("list")
@click.option("--overdue", is_flag=True, help="Only those nobody has walked in time.")
@click.option("--done", is_flag=True, help="Those that are over, too.")
@as_json
@asks
def list_(session: Session, overdue: bool, done: bool, as_json: bool) -> None:
    """Rounds, the first due first."""
    found = session.api.every("/patrols", {"overdue": overdue, "done": done})
    rows = [
        (
            one["id"],
            one["plan"],
            one["kind"],
            one["crew"],
            session.time(one["due_ms"]),
            "late" if one["overdue"] else session.time(one["done_ms"]),
            one["targets"],
        )
        for one in found
    ]
    names = ("round", "plan", "kind", "crew", "due", "done", "targets")
    tell(found, as_json=as_json, lines=lambda: table(names, rows))


@patrol.command()
@click.argument("plan")
@click.option("--kind", type=click.Choice(("equipment", "night")), required=True)
@click.option("--name", default="")
@click.option("--crew", default="")
@click.option("--road", "roads", multiple=True)
@click.option("--cabinet", "cabinets", multiple=True)
@click.option("--every-days", type=float, default=30.0, show_default=True)
@click.option("--sample", type=int, default=20, show_default=True, help="Lamps of each road that a night patrol sees.")
@reason
@asks
def put(
    session: Session,
    plan: str,
    kind: str,
    name: str,
    crew: str,
    roads: Sequence[str],
    cabinets: Sequence[str],
    every_days: float,
    sample: int,
    reason: str,
) -> None:
    """Add or replace a plan."""
    body = {
        "id": plan,
        "kind": kind,
        "name": name,
        "crew": crew,
        "roads": list(roads),
        "cabinets": list(cabinets),
        "every_days": every_days,
        "sample": sample,
    }
    session.api.send("PUT", "/patrols/plans", {"plan": body, "reason": reason})
    click.echo(f"{plan}: kept")


@patrol.command()
@as_json
@asks
def plans(session: Session, as_json: bool) -> None:
    """Plans."""
    found = session.api.get("/patrols/plans")["items"]
    rows = [(one["id"], one["kind"], one["crew"], one["every_days"], ", ".join(one["roads"])) for one in found]
    tell(found, as_json=as_json, lines=lambda: table(("plan", "kind", "crew", "every days", "roads"), rows))


@patrol.command()
@click.argument("round_id", metavar="ROUND")
@as_json
@asks
def show(session: Session, round_id: str, as_json: bool) -> None:
    """A round: its route, what is left of it, what failed."""
    found = session.api.get(f"/patrols/{round_id}")
    tell(found, as_json=as_json, lines=lambda: _shown(found))


@patrol.command()
@click.argument("round_id", metavar="ROUND")
@click.argument("element")
@click.argument("check", type=click.Choice(CHECKS))
@click.option("--kind", default="cabinet", show_default=True, help="Of element: cabinet, pole or lamp.")
@click.option("--passed/--failed", required=True)
@click.option("--value", type=float, help="leakage in mA, grounding in ohm")
@click.option("--note", default="")
@key
@as_json
@asks
def result(
    session: Session,
    round_id: str,
    element: str,
    check: str,
    kind: str,
    passed: bool,
    value: float | None,
    note: str,
    key: str | None,
    as_json: bool,
) -> None:
    """Tell one check that was made."""
    one = {"element_kind": kind, "element": element, "check": check, "passed": passed, "value": value, "note": note}
    found = session.api.send("POST", f"/patrols/{round_id}/results", {"results": [one]}, key=key)
    tell(found, as_json=as_json, lines=lambda: [f"{check} of {element}: noted", *found["orders"]])


@patrol.command()
@click.argument("round_id", metavar="ROUND")
@key
@as_json
@asks
def finish(session: Session, round_id: str, key: str | None, as_json: bool) -> None:
    """The round was walked."""
    found = session.api.send("POST", f"/patrols/{round_id}/finish", {}, key=key)
    tell(found, as_json=as_json, lines=lambda: [f"{found['plan']}: walked by {found['done_by']}"])


def _shown(found: Mapping[str, Any]) -> Iterator[str]:
    undone = {(one["element_kind"], one["element"]): ", ".join(one["checks"]) for one in found["left"]}
    failed = {(one["element_kind"], one["element"]) for one in found["results"] if not one["passed"]}
    rows = [
        (
            one["element_kind"],
            one["element"],
            one["road"],
            undone.get((one["element_kind"], one["element"]), "done"),
            "failed" if (one["element_kind"], one["element"]) in failed else "",
        )
        for one in found["route"]
    ]
    yield from table(("kind", "element", "road", "to check", ""), rows)
