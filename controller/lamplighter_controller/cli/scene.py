"""`lamplighter scene`: shows of light from a cue list: rehearsed on paper, started at a time, stopped."""

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.lamp import night
from lamplighter_controller.cli.table import table

SCENE = click.argument("scene")
TIME: Final = "%Y-%m-%d %H:%M:%S"
FIGURES: Final = ("after_s", "level_percent", "ramp_s")
WHOM: Final = ("devices", "groups", "roads", "districts")
CITY: Final = "city"
AT = click.option("--at", "start", metavar='"YYYY-MM-DD HH:MM:SS"', help="In the city's time; else at once.")


@click.group()
def scene() -> None:
    """Shows of light; lamps go back to plan by themselves at the end."""


@scene.command("list")
@as_json
@asks
def list_(session: Session, as_json: bool) -> None:
    """All scenes of the library."""
    found = session.api.get("/scenes")
    rows = [
        (one["id"], one["body"].get("name"), len(one["body"]["cues"]), one["body"]["length_s"], one["changed_by"])
        for one in found["items"]
    ]
    tell(found, as_json=as_json, lines=lambda: table(("scene", "name", "cues", "length s", "changed by"), rows))


@scene.command()
@SCENE
@as_json
@asks
def show(session: Session, scene: str, as_json: bool) -> None:
    """Its cues."""
    found = session.api.get(f"/scenes/{scene}")
    rows = [
        (
            cue["after_s"],
            cue["level_percent"],
            cue.get("ramp_s", 0.0),
            *(_names(cue.get(name)) for name in WHOM),
            cue.get(CITY),
        )
        for cue in found["body"]["cues"]
    ]
    tell(found, as_json=as_json, lines=lambda: table((*FIGURES, *WHOM, CITY), rows))


@scene.command("import")
@SCENE
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--length", "length_s", type=float, help="Seconds; of a CSV cue list, which does not say it.")
@click.option("--name", default="", help="For people; of a CSV cue list.")
@reason
@as_json
@asks
def import_(
    session: Session, scene: str, file: Path, length_s: float | None, name: str, reason: str, as_json: bool
) -> None:
    """Put a scene into the library: JSON as the API has it, or a CSV cue list.

    Its columns: after_s, level_percent, ramp_s, and whom: devices, groups, roads, districts, several parted by `;`, or
    city with yes.
    """
    body = _json(file) if file.suffix == ".json" else {"cues": _cues(file), "length_s": length_s, "name": name}
    if body.get("length_s") is None:
        raise click.UsageError("a cue list needs --length: after so many seconds every lamp goes back to its plan")
    found = session.api.send("PUT", f"/scenes/{scene}", {"reason": reason, "body": body})
    tell(found, as_json=as_json, lines=lambda: [f"scene {scene} is at version {found['version']}"])


@scene.command()
@SCENE
@AT
@click.option("--lamp", "lamps", multiple=True, help="Show this one's whole night; may be repeated.")
@as_json
@asks
def rehearse(session: Session, scene: str, start: str | None, lamps: tuple[str, ...], as_json: bool) -> None:
    """On paper: whom each cue reaches and what a wire cannot carry; no lamp moves."""
    wanted = {"starts_ms": _time(session, start), "lamps": list(lamps)}
    found = session.api.send("POST", f"/scenes/{scene}/rehearse", wanted)
    tell(found, as_json=as_json, lines=lambda: _rehearsal(session, found))


@scene.command()
@SCENE
@AT
@reason
@as_json
@asks
def start(session: Session, scene: str, start: str | None, reason: str, as_json: bool) -> None:
    """Have it played."""
    wanted = {"starts_ms": _time(session, start), "reason": reason}
    found = session.api.send("POST", f"/scenes/{scene}/start", wanted)
    tell(found, as_json=as_json, lines=lambda: _showings(session, [found]))


@scene.command()
@as_json
@asks
def showings(session: Session, as_json: bool) -> None:
    """What plays, is to play or has played."""
    found = session.api.get("/showings")
    tell(found, as_json=as_json, lines=lambda: _showings(session, found["items"]))


@scene.command()
@click.argument("showing")
@reason
@as_json
@asks
def approve(session: Session, showing: str, reason: str, as_json: bool) -> None:
    """Let another person's show play."""
    found = session.api.send("POST", f"/showings/{showing}/approve", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: _showings(session, [found]))


@scene.command()
@click.argument("showing")
@reason
@as_json
@asks
def stop(session: Session, showing: str, reason: str, as_json: bool) -> None:
    """End a showing: its lamps go back to plan as soon as their gateways are told."""
    found = session.api.send("POST", f"/showings/{showing}/stop", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: _showings(session, [found]))


def _showings(session: Session, found: list[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (
            one["id"],
            one["scene"],
            session.time(one["starts_ms"], seconds=True),
            session.time(one["stopped_ms"] or one["ends_ms"], seconds=True),
            "stopped" if one["stopped_ms"] else "plays" if one["playing"] else "waits" if one["waits"] else None,
            one["by"],
        )
        for one in found
    ]
    yield from table(("showing", "scene", "starts", "ends", "now", "by"), rows)
    for one in found:
        if one["waits"]:
            yield from (f"  {one['id']} needs a second person: {why}" for why in one["needs_approval"])


def _rehearsal(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    starts, ends = (session.time(found[name], seconds=True) for name in ("starts_ms", "ends_ms"))
    verdict = "it can be played" if found["playable"] else "it cannot be played"
    yield f"{found['scene']} from {starts} to {ends}: {verdict}"
    yield from (f"  {one['severity']}: {one['where']}: {one['what']}" for one in found["problems"])
    yield from (f"  needs a second person: {why}" for why in found["needs_approval"])
    rows = [
        (session.time(cue["at_ms"], seconds=True), cue["level_percent"], cue["ramp_s"], cue["lamps"])
        for cue in found["cues"]
    ]
    yield from table(("at", "level", "ramp s", "lamps"), rows)
    for lamp, changes in found["nights"].items():
        yield lamp
        yield from (f"  {line}" for line in night(session, changes))


def _time(session: Session, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return round(datetime.strptime(text, TIME).replace(tzinfo=session.zone).timestamp() * 1000)
    except ValueError as error:
        raise click.UsageError(f"--at {text!r}: expected a time such as 2026-10-01 20:00:00") from error


def _json(file: Path) -> dict[str, Any]:
    try:
        body = json.loads(file.read_bytes())
    except ValueError as error:
        raise click.UsageError(f"{file} is no JSON: {error}") from error
    if not isinstance(body, dict):
        raise click.UsageError(f"{file}: expected an object with cues and length_s")
    return body


def _cues(file: Path) -> list[dict[str, Any]]:
    """All cues; every mistake of the list at once."""
    wrong: list[str] = []
    cues = []
    with file.open(newline="") as lines:
        for line, row in enumerate(csv.DictReader(lines), start=2):
            cue: dict[str, Any] = {}
            for name, cell in row.items():
                if name in WHOM:
                    cue[name] = [one.strip() for one in (cell or "").split(";") if one.strip()]
                elif name == CITY:
                    cue[name] = (cell or "").strip().lower() == "yes"
                elif name not in FIGURES:
                    wrong.append(f"line {line}, {name}: expected one of {', '.join((*FIGURES, *WHOM, CITY))}")
                elif cell and not _is_number(cell):
                    wrong.append(f"line {line}, {name}: is {cell!r}, expected a number")
                elif cell:
                    cue[name] = float(cell)
            cues.append(cue)
    if wrong:
        raise click.UsageError(f"{file}:\n  " + "\n  ".join(wrong))
    return cues


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _names(names: list[str] | None) -> str | None:
    return ", ".join(names) if names else None
