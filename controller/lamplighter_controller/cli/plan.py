"""`lamplighter plan`: from a draft over the gate to the lamps, and one step back."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

NUMBER = click.argument("number", type=click.IntRange(1))


@click.group()
def plan() -> None:
    """Plans: drafted from the library, checked, approved, published, taken back."""


@plan.command("list")
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True, help="The newest.")
@as_json
@asks
def list_(session: Session, limit: int, as_json: bool) -> None:
    """The newest plans."""
    found = session.api.get("/plans", {"limit": limit})
    rows = [
        (one["number"], one["state"], session.time(one["created_ms"]), one["author"], one["reason"])
        for one in found["items"]
    ]
    tell(found, as_json=as_json, lines=lambda: table(("plan", "state", "drafted", "by", "reason"), rows))


@plan.command()
@NUMBER
@as_json
@asks
def show(session: Session, number: int, as_json: bool) -> None:
    """One plan, with what its last check has found."""
    found = session.api.get(f"/plans/{number}")
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@plan.command()
@reason
@as_json
@asks
def preset(session: Session, reason: str, as_json: bool) -> None:
    """Load the presets (Jinan's published practice) into the library."""
    found = session.api.send("POST", "/presets", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: (f"{shelf}: {', '.join(some)}" for shelf, some in found.items()))


@plan.command()
@reason
@as_json
@asks
def draft(session: Session, reason: str, as_json: bool) -> None:
    """Make a plan of the library as it stands."""
    found = session.api.send("POST", "/plans", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@plan.command()
@NUMBER
@reason
@as_json
@asks
def validate(session: Session, number: int, reason: str, as_json: bool) -> None:
    """Check a plan for every gateway over a year of nights."""
    found = session.api.send("POST", f"/plans/{number}/validate", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@plan.command()
@NUMBER
@as_json
@asks
def diff(session: Session, number: int, as_json: bool) -> None:
    """What a plan changes tonight against what is in force."""
    found = session.api.get(f"/plans/{number}/diff")
    tell(found, as_json=as_json, lines=lambda: _changes(found))


@plan.command()
@NUMBER
@reason
@as_json
@asks
def approve(session: Session, number: int, reason: str, as_json: bool) -> None:
    """Approve another person's plan that takes light away."""
    found = session.api.send("POST", f"/plans/{number}/approve", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@plan.command()
@NUMBER
@click.option("--gateway", "gateways", multiple=True, help="To this one first; may be given several times.")
@reason
@as_json
@asks
def publish(session: Session, number: int, gateways: tuple[str, ...], reason: str, as_json: bool) -> None:
    """Give a plan to some gateways, or to all."""
    wanted = {"reason": reason, "gateways": list(gateways) or None}
    found = session.api.send("POST", f"/plans/{number}/publish", wanted)
    tell(found, as_json=as_json, lines=lambda: _given(found))


@plan.command()
@reason
@as_json
@asks
def back(session: Session, reason: str, as_json: bool) -> None:
    """Give every gateway the plan it had before."""
    found = session.api.send("POST", "/plans/back", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: _given(found))


@plan.command()
@click.option("--gateway", help="All that this one was given, the newest first.")
@as_json
@asks
def versions(session: Session, gateway: str | None, as_json: bool) -> None:
    """Which gateway runs which plan."""
    found = session.api.get(f"/plans/versions/{gateway}" if gateway else "/plans/versions")
    header = ("gateway", "plan", "version", "given", "by", "its word", "runs it")
    rows = [
        (
            one["gateway"],
            one["plan"],
            one["version"],
            session.time(one["published_ms"]),
            one["published_by"],
            one["told_version"] or None,
            one["running"],
        )
        for one in found["items"]
    ]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


def _shown(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    drafted = session.time(found["created_ms"])
    yield f"plan {found['number']} is {found['state']}: {found['reason']} ({found['author']}, {drafted})"
    for shelf in ("programs", "calendars", "assignments"):
        yield f"  {shelf}: {', '.join(found[shelf]) or 'none'}"
    if found["approvals"]:
        yield f"  approved by {', '.join(found['approvals'])}"
    for one in found["problems"]:
        seen = f", first on {one['day']}, {one['nights']} nights" if one["day"] else ""
        yield f"  {one['severity']}: {one['where']}: {one['what']}{seen}"


def _changes(found: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"{found['changed']:,} lamps, {found['peak_before_kw']:,.0f} kW -> {found['peak_after_kw']:,.0f} kW,"
        f" {found['energy_before_kwh']:,.0f} kWh -> {found['energy_after_kwh']:,.0f} kWh tonight"
    )
    yield (
        f"  of {found['lamps']:,} lamps; full light {found['light_before_h']:,.0f} h -> {found['light_after_h']:,.0f} h"
    )
    if found["dark"]:
        yield f"  {found['dark']:,} lamps go off while they are lit now: {', '.join(found['dark_roads']) or 'no road'}"
    if found["without_model"]:
        yield f"  {found['without_model']:,} lamps without a model are not in the power and energy"
    for why in found["needs_approval"]:
        yield f"  needs a second person: {why}"


def _given(found: Mapping[str, Any]) -> Iterator[str]:
    yield from table(("gateway", "version"), sorted(found["versions"].items()))
