"""`lamplighter lamp`: what a lamp does now, why, and what it will do tonight."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, tell
from lamplighter_controller.cli.table import NOTHING, table

DAY = click.option("--day", metavar="YYYY-MM-DD", help="Another night than tonight.")
PLAN = click.option("--plan", type=click.IntRange(1), help="By this plan instead of the one in force.")


@click.group()
def lamp() -> None:
    """One lamp, or all of them."""


@lamp.command("list")
@click.option("--gateway", help="Of this gateway only.")
@click.option("--state", type=click.Choice(["unknown", "off", "on", "fault"]), help="In this condition only.")
@as_json
@asks
def list_(session: Session, gateway: str | None, state: str | None, as_json: bool) -> None:
    """All lamps and how they are."""
    found = session.api.every("/devices", {"kind": "lamp", "gateway": gateway, "state": state})
    rows = [(one["id"], one["state"], one["gateway"], one["name"].get("en", "")) for one in found]
    tell(found, as_json=as_json, lines=lambda: table(("lamp", "state", "gateway", "road"), rows))


@lamp.command()
@click.argument("lamp")
@as_json
@asks
def show(session: Session, lamp: str, as_json: bool) -> None:
    """Everything known of a lamp now."""
    found = session.api.get(f"/devices/{lamp}/latest")
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@lamp.command()
@click.argument("lamp")
@as_json
@asks
def why(session: Session, lamp: str, as_json: bool) -> None:
    """Why a lamp has the level it has."""
    found = session.api.get(f"/lamps/{lamp}/why")
    tell(found, as_json=as_json, lines=lambda: _reasons(session, found))


@lamp.command()
@click.argument("lamp")
@DAY
@PLAN
@as_json
@asks
def tonight(session: Session, lamp: str, day: str | None, plan: int | None, as_json: bool) -> None:
    """A lamp's night from noon to noon, every change of level with its reason."""
    found = session.api.get(f"/lamps/{lamp}/tonight", {"day": day, "plan": plan})
    tell(found, as_json=as_json, lines=lambda: night(session, found["changes"]))


@lamp.command()
@click.argument("lamp")
@click.option("--hours", type=click.FloatRange(0, 744, min_open=True), default=24, show_default=True, help="Back to.")
@click.option("--quantity", "quantities", multiple=True, default=("level_percent", "power_w"), show_default=True)
@as_json
@asks
def history(session: Session, lamp: str, hours: float, quantities: tuple[str, ...], as_json: bool) -> None:
    """What was measured, as it came; times are the city's."""
    end_ms = session.api.get("/clock")["civil_ms"]
    query = {"start": end_ms - round(hours * 3_600_000), "end": end_ms, "quantities": ",".join(quantities)}
    found = session.api.get(f"/devices/{lamp}/history", query)
    columns = [found["values"][name] for name in quantities]
    rows = [
        (session.time(time_ms, seconds=True), *(column[row] for column in columns))
        for row, time_ms in enumerate(found["time_ms"])
    ]
    tell(found, as_json=as_json, lines=lambda: table(("time", *quantities), rows))


def night(session: Session, changes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A night's changes as a table."""
    rows = [(session.time(one["start_ms"]), _level(one["level_percent"]), _because(one["why"])) for one in changes]
    return table(("from", "level", "because"), rows)


def _shown(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['id']}  {found['state']}  {found['name'].get('en', '')}".rstrip()
    yield f"  at {found['gateway']}, {found['address']} ({found['profile']})"
    read = session.time(found["time_ms"] or None, seconds=True) or "never"
    yield f"  read {read}{': ' + ', '.join(found['quality']) if found['quality'] else ''}"
    for name, value in found["values"].items():
        yield f"  {name} {value:g}"
    manual = found["override"]
    if manual:
        until = session.time(manual["until"])
        yield f"  by hand {manual['level_percent']:g} % until {until}, set by {manual['by']}"


def _reasons(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['lamp']}  {_level(found['level_percent'])}  {_because(found['why'])}"
    if beaten := found["why"].get("beat"):
        yield f"  instead of: {', '.join(beaten)}"
    if until := session.time(found["why"].get("until_ms")):
        yield f"  until {until}"
    if circuit := found["open_circuit"]:
        yield f"  off by plan, without power: {circuit} is open until its lamps are due"
    yield f"  plan version {found['plan_version'] or 'none'}, its gateway says {found['told_version'] or 'none'}"
    yield from _who(session, found["lamp"])
    reported = found["reported_level_percent"]
    yield f"  measured: {_level(reported) if reported is not None else 'nothing'}"
    if found["agrees"] is False:
        yield f"  its gateway wants {_level(found['reported_desired_percent'])}: not the same"


def _who(session: Session, lamp: str) -> Iterator[str]:
    """Who has changed what it does: by hand, and by plan."""
    known = session.api.get(f"/devices/{lamp}/latest")
    if manual := known["override"]:
        yield f"  by hand: {manual['by']}, request {manual['request']}"
    for given in session.api.get(f"/plans/versions/{known['gateway']}", {"limit": 1})["items"]:
        yield f"  plan {given['plan']} was given by {given['published_by']}, {session.time(given['published_ms'])}"


def _because(why: Mapping[str, Any]) -> str:
    named = [str(why[name]) for name in ("program", "source") if why.get(name)]
    return f"{why['winner']}{': ' + ', '.join(named) if named else ''}"


def _level(percent: float | None) -> str:
    return NOTHING if percent is None else f"{percent:g} %"
