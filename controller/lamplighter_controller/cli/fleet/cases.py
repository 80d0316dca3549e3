"""The life of a violation from the terminal: its steps, and files for the case system and from it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.fleet.cases.life import Outcome

STATES: Final = (
    "candidate",
    "reviewed_valid",
    "reviewed_invalid",
    "notified",
    "appeal",
    "handed_over",
    "case",
    "outcome",
)
MEDIA: Final = {"csv": "text/csv", "json": "application/json"}
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW: Final = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("violation")
@click.argument("verdict", type=click.Choice(["valid", "invalid"]))
@reason
@asks
def review(session: Session, violation: str, verdict: str, reason: str) -> None:
    """Say whether it is one."""
    _step(session, violation, "review", {"valid": verdict == "valid", "reason": reason})


@click.command()
@click.argument("violation")
@click.option("--to", required=True, help="Whom of the company.")
@click.option("--way", help="Such as registered letter.")
@reason
@asks
def notify(session: Session, violation: str, to: str, way: str | None, reason: str) -> None:
    """Note that the company was told."""
    _step(session, violation, "notify", {"to": to, "way": way, "reason": reason})


@click.command()
@click.argument("violation")
@click.option("--by", required=True, help="Who objects.")
@click.option("--text", required=True, help="What is said.")
@reason
@asks
def appeal(session: Session, violation: str, by: str, text: str, reason: str) -> None:
    """Note an objection; it is answered by `review … invalid` or by `hand-over`."""
    _step(session, violation, "appeal", {"by": by, "text": text, "reason": reason})


@click.command("hand-over")
@click.argument("violation")
@click.option("--to", required=True, help="To whom.")
@click.option("--package", help="SHA-256 of the package that goes along.")
@reason
@asks
def hand_over(session: Session, violation: str, to: str, package: str | None, reason: str) -> None:
    """Hand it over to whoever punishes."""
    _step(session, violation, "hand-over", {"to": to, "package": package, "reason": reason})


@click.command()
@click.argument("violation")
@click.argument("case_number")
@reason
@asks
def number(session: Session, violation: str, case_number: str, reason: str) -> None:
    """Note its number in the case system."""
    _step(session, violation, "number", {"case_number": case_number, "reason": reason})


@click.command()
@click.argument("violation")
@click.argument("outcome", type=click.Choice([outcome.value for outcome in Outcome]))
@click.option("--amount-yuan", type=click.FloatRange(0, 10_000_000))
@reason
@asks
def conclude(session: Session, violation: str, outcome: str, amount_yuan: float | None, reason: str) -> None:
    """Note how the case ended."""
    _step(session, violation, "conclude", {"outcome": outcome, "amount_yuan": amount_yuan, "reason": reason})


@click.command()
@click.argument("file", type=_NEW)
@click.option("--state", type=click.Choice(STATES), default="handed_over", show_default=True)
@asks
def export(session: Session, file: Path, state: str) -> None:
    """Write violations for the case system, as CSV or JSON by the file's name."""
    form = _form(file)
    file.write_bytes(session.api.download("/fleet/cases/export", {"state": state, "form": form}))
    click.echo(f"{file} is written")


@click.command("import")
@click.argument("file", type=_FILE)
@reason
@as_json
@asks
def import_(session: Session, file: Path, reason: str, as_json: bool) -> None:
    """Take case numbers and outcomes from a file of the case system; the same file again changes nothing."""
    form = _form(file)
    query = {"form": form, "reason": reason}
    done = session.api.upload("/fleet/cases/import", file.read_bytes(), MEDIA[form], query)
    tell(done, as_json=as_json, lines=lambda: _imported(file, done))
    if done["mistakes"]:
        raise click.exceptions.Exit(1)


def _step(session: Session, violation: str, act: str, body: Mapping[str, Any]) -> None:
    told = {name: value for name, value in body.items() if value is not None}
    done = session.api.send("POST", f"/fleet/violations/{violation}/{act}", told)
    click.echo(f"{violation} is {done['state']}" + (", as it was" if done["repeated"] else ""))


def _imported(file: Path, done: Mapping[str, Any]) -> Iterator[str]:
    for one in done["mistakes"]:
        yield f"{file}:{one['line']}: {one['key']} is {one['value']!r}, expected {one['expected']}"
    if not done["mistakes"]:
        yield f"{done['steps']} steps were taken, {done['unchanged']} had been before"


def _form(file: Path) -> str:
    form = file.suffix.lower().removeprefix(".")
    if form not in MEDIA:
        raise click.UsageError(f"{file.name}: expected a name that ends in .csv or .json")
    return form


CASES: Final = (review, notify, appeal, hand_over, number, conclude, export, import_)
