"""`lamplighter waybill`: loads from site to ground, and whether they arrived."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

HOUR_MS = 3_600_000


@click.group()
def waybill() -> None:
    """Electronic waybills, and figures of each company."""


@waybill.command("list")
@click.option("--hours", type=click.IntRange(1, 8784), default=24, show_default=True, help="Loaded in the last hours.")
@click.option("--truck", help="Of one truck alone.")
@as_json
@asks
def list_(session: Session, hours: int, truck: str | None, as_json: bool) -> None:
    """Waybills, the newest first."""
    found = session.api.get("/fleet/waybills", {**_span(session, hours), "truck": truck})
    header = ("waybill", "truck", "from", "to", "loaded", "unloaded", "at", "closed")
    rows = [
        (
            one["id"],
            one["truck"],
            one["site"],
            one["ground"],
            session.time(one["loaded_ms"]),
            session.time(one["unloaded_ms"]),
            one["unloaded_at"],
            one["closed_by"] is not None,
        )
        for one in found["items"]
    ]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@waybill.command()
@click.argument("waybill")
@as_json
@asks
def show(session: Session, waybill: str, as_json: bool) -> None:
    """One waybill: what it says, what the truck was seen to do."""
    found = session.api.get(f"/fleet/waybills/{waybill}")
    tell(found, as_json=as_json, lines=lambda: _shown(session, found))


@waybill.command()
@click.option("--hours", type=click.IntRange(1, 8784), default=24, show_default=True, help="Loaded in the last hours.")
@click.option("--by", type=click.Choice(["company", "site", "ground", "truck"]), default="company", show_default=True)
@as_json
@asks
def closure(session: Session, hours: int, by: str, as_json: bool) -> None:
    """How many loops closed."""
    found = session.api.get("/fleet/waybills/closure", {**_span(session, hours), "by": by})
    names = ("name", "waybills", "closed", "closure_rate", "seen", "elsewhere", "open")
    rows = [[f"{one[name]:.1%}" if _is_share(name, one[name]) else one[name] for name in names] for one in found]
    tell(found, as_json=as_json, lines=lambda: table((by, *names[1:3], "rate", *names[4:]), rows))


@waybill.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="List every mistake and take nothing.")
@reason
@as_json
@asks
def import_(session: Session, file: Path, dry_run: bool, reason: str, as_json: bool) -> None:
    """Declare waybills from a CSV file (id, truck, site, ground, loaded, ...); it is taken whole or not at all."""
    query = {"reason": reason, "dry_run": dry_run}
    found = session.api.upload("/fleet/waybills/import", file.read_bytes(), "text/csv", query)
    told = [f"{found['rows']} rows, {found['added']} added, {found['replaced']} replaced"]
    told += [f"  line {one['line']}, {one['key']}: expected {one['expected']}" for one in found["mistakes"]]
    tell(found, as_json=as_json, lines=lambda: told)
    if found["mistakes"]:
        raise click.exceptions.Exit(1)


@waybill.command()
@click.option("--hours", type=click.IntRange(1, 8784), default=24, show_default=True, help="Of the last hours.")
@as_json
@asks
def figures(session: Session, hours: int, as_json: bool) -> None:
    """Each company: online rate, violations, what followed, closed waybills."""
    found = session.api.get("/fleet/figures", _span(session, hours))
    header = ("company", "trucks", "online", "violations", "per truck-day", "acted on", "limited h", "closed", "repeat")
    names = (
        "company",
        "trucks",
        "online_rate",
        "violations",
        "per_truck_day",
        "acted_rate",
        "limited_h",
        "closure_rate",
    )
    rows = [
        [
            *(f"{one[name]:.1%}" if _is_share(name, one[name]) else one[name] for name in names),
            len(one["repeat_offenders"]),
        ]
        for one in found
    ]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


def _shown(session: Session, one: Mapping[str, Any]) -> Iterator[str]:
    yield f"{one['id']}: {one['truck']} of {one['company'] or 'nobody'}, {one['site']} to {one['ground']}"
    yield f"  by {one['source']}, number {one['number'] or '-'}, permit {one['permit'] or '-'}"
    yield f"  driver {one['driver'] or '-'}, card {one['driver_told'] or '-'}"
    yield f"  loaded {session.time(one['loaded_ms'])}"
    if one["unloaded_ms"] is not None:
        yield f"  unloaded {session.time(one['unloaded_ms'])} at {one['unloaded_at'] or 'no place that is known'}"
    yield f"  closed by {one['closed_by']}" if one["closed_by"] else "  not closed"


def _is_share(name: str, value: object) -> bool:
    return name.endswith("_rate") and value is not None


def _span(session: Session, hours: int) -> dict[str, int]:
    now_ms = int(session.api.get("/clock")["civil_ms"])
    return {"start": now_ms - hours * HOUR_MS, "end": now_ms + 1}
