"""`lamplighter fault`: what is broken, how sure that is and why; and the same engine over anybody's own telemetry."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table
from lamplighter_controller.diagnosis.explain import LANGUAGES
from lamplighter_controller.diagnosis.explain import explain as explained
from lamplighter_controller.diagnosis.incidents.incident import Incident
from lamplighter_controller.diagnosis.replay.lines import line
from lamplighter_controller.diagnosis.replay.mistakes import Mistakes
from lamplighter_controller.diagnosis.replay.reading import Course, read_course
from lamplighter_controller.diagnosis.replay.replaying import replay as replayed
from lamplighter_controller.diagnosis.settings import Settings

WRONG_FILE: Final = 2
NAMED: Final = 5
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_language: Final = click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)


@click.group()
def fault() -> None:
    """What is broken, and why it is thought so."""


@fault.command("list")
@click.option("--state", help="Such as raised, acknowledged, in_work or cleared.")
@click.option("--class", "class_id", help="Of this class only, such as lamp_dead.")
@as_json
@asks
def list_(session: Session, state: str | None, class_id: str | None, as_json: bool) -> None:
    """Every incident that is not closed."""
    found = session.api.every("/incidents", {"state": state, "class": class_id})
    tell(found, as_json=as_json, lines=lambda: _listed(session, found))


@fault.command()
@click.argument("incident")
@_language
@as_json
@asks
def explain(session: Session, incident: str, language: str, as_json: bool) -> None:
    """How an incident is reasoned, as a person would tell it."""
    found = session.api.get(f"/incidents/{incident}/explanation", {"language": language})
    tell(found, as_json=as_json, lines=lambda: found["lines"])


@fault.command()
@click.argument("elements", nargs=-1, required=True)
@click.option("--kind", default="lamp", show_default=True, help="Of element, such as lamp, cabinet, circuit, gateway.")
@reason
@asks
def replaced(session: Session, elements: Sequence[str], kind: str, reason: str) -> None:
    """Tell that parts were exchanged: their incidents end, what was learned of them begins anew."""
    body = {"elements": [{"kind": kind, "id": one} for one in elements], "reason": reason}
    session.api.send("POST", "/elements/replaced", body)
    click.echo(f"{len(elements)} replaced; nothing is raised of them for an hour")


@fault.command()
@click.option(
    "--telemetry", type=_FILE, required=True, help="T.csv: time, device, canonical quantities; blank = not read."
)
@click.option("--topology", type=_FILE, required=True, help="T.json: models, cabinets, feeders, poles, lamps.")
@click.option("--levels", type=_FILE, help="L.csv: time, device, level_percent commanded; without it, inferred.")
@click.option("--zone", default="Asia/Shanghai", show_default=True, help="Of the times that people read.")
@_language
@click.option("--json", "as_json", is_flag=True, help="One JSON line per incident.")
def replay(telemetry: Path, topology: Path, levels: Path | None, zone: str, language: str, as_json: bool) -> None:
    """Diagnose anybody's own telemetry with the engine of a running city; no server is asked.

    Ends with 2 when a file is wrong; every mistake is told with its line and column.
    """
    course = read_course(telemetry, topology, levels, Settings().period_s)
    if not isinstance(course, Course):
        _complain(course)
        raise click.exceptions.Exit(WRONG_FILE)
    if course.unknown:
        named = ", ".join(course.unknown[:NAMED]) + (", …" if len(course.unknown) > NAMED else "")
        click.echo(f"{len(course.unknown)} devices are not in the topology and are left out: {named}", err=True)
    incidents = replayed(course.stream, course.place.topology, course.place.models, course.told)
    for incident in incidents:
        click.echo(line(incident) if as_json else _told(incident, language, zone))


def _complain(wrong: Sequence[Mistakes]) -> None:
    for mistakes in wrong:
        for mistake in mistakes.found:
            click.echo(str(mistake), err=True)
        if mistakes.more:
            click.echo(f"{mistakes.file}: and {mistakes.more} more", err=True)


def _told(incident: Incident, language: str, zone: str) -> str:
    return "\n".join(explained(incident, language, zone)) + "\n"


def _listed(session: Session, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (
            one["id"],
            one["class"],
            f"{one['confidence']:.0%}",
            f"{one['element']['kind']} {one['element']['id']}",
            one["severity"],
            one["state"],
            session.time(one["onset_ms"]),
        )
        for one in found
    ]
    yield from table(("incident", "class", "sure", "element", "severity", "state", "since"), rows)
