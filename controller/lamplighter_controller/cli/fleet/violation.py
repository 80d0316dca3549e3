"""`lamplighter violation`: what trucks were found to have done, what proves it, what became of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, tell
from lamplighter_controller.cli.fleet.cases import CASES, STATES
from lamplighter_controller.cli.fleet.proof import PROOF
from lamplighter_controller.cli.table import table


@click.group()
def violation() -> None:
    """What trucks were found to have done, what proves it, what became of it."""


@violation.command("list")
@click.option("--state", type=click.Choice(STATES))
@click.option("--truck")
@click.option("--company")
@click.option("--class", "class_id", help="Such as dump_outside.")
@as_json
@asks
def list_(
    session: Session, state: str | None, truck: str | None, company: str | None, class_id: str | None, as_json: bool
) -> None:
    """Violations, the newest first."""
    where = {"state": state, "truck": truck, "company": company, "class": class_id}
    found = session.api.every("/fleet/violations", where)
    rows = [
        (
            one["id"],
            one["class"],
            one["truck"],
            one["company"],
            f"{one['score']:.2f}",
            one["state"],
            session.time(one["first_ms"]),
        )
        for one in found
    ]
    header = ("violation", "class", "truck", "company", "score", "state", "first fix")
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@violation.command()
@click.argument("violation")
@as_json
@asks
def show(session: Session, violation: str, as_json: bool) -> None:
    """One violation: its life so far and what proves it."""
    found = session.api.get(f"/fleet/violations/{violation}")
    proof = session.api.get(f"/fleet/violations/{violation}/evidence")
    tell({**found, "proof": proof}, as_json=as_json, lines=lambda: _shown(session, found, proof))


@violation.command()
@as_json
@asks
def statistics(session: Session, as_json: bool) -> None:
    """How often each rule is wrong: the share of candidates that people found invalid."""
    found = session.api.get("/fleet/cases/statistics")
    rows = [
        (one["class"], one["rules"], one["found"], one["reviewed"], one["invalid"], _percent(one["invalid_share"]))
        for one in found["items"]
    ]
    header = ("class", "rules", "found", "reviewed", "invalid", "share")
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


def _shown(session: Session, found: Mapping[str, Any], proof: Mapping[str, Any]) -> Iterator[str]:
    when, state = session.time(found["first_ms"]), found["state"]
    yield f"{found['class']} of {found['truck']} ({found['company']}), {when}: {state}"
    yield from (f"  {name}: {value}" for name, value in found["evidence"].items())
    steps = [(session.time(one["time_ms"]), one["state"], one["who"], one["reason"]) for one in found["steps"]]
    yield from table(("time", "state", "by", "reason"), steps)
    parts = [(one["name"], one["source"], one["bytes"], one["sha256"][:16]) for one in proof["parts"]]
    yield from table(("file", "from", "bytes", "sha256"), parts)
    yield f"{len(proof['packages'])} packages" + (", held" if proof["hold"] else "")


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"


for _command in (*CASES, *PROOF):
    violation.add_command(_command)
