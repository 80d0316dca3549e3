"""`lamplighter fleet`: the register, from files."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

KINDS: Final = ("companies", "drivers", "trucks", "places", "objects", "permits")
MEDIA_TYPES: Final = {"csv": "text/csv", "geojson": "application/geo+json"}
SYSTEMS: Final = ("wgs84", "cgcs2000", "gcj02", "bd09")
KIND = click.argument("kind", type=click.Choice(KINDS))


@click.group()
def fleet() -> None:
    """Companies, drivers, trucks, places, sites and grounds, permits."""


@fleet.command("list")
@KIND
@as_json
@asks
def list_(session: Session, kind: str, as_json: bool) -> None:
    """All things of a kind."""
    found = session.api.every(f"/fleet/{kind}")
    names = [name for name in found[0]["thing"] if name not in {"outline", "corridor"}][:7] if found else ["id"]
    rows = [[_cell(one["thing"].get(name)) for name in names] for one in found]
    tell(found, as_json=as_json, lines=lambda: table(names, rows))


@fleet.command("import")
@KIND
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--crs", type=click.Choice(SYSTEMS), help="Coordinate system of the positions; files with some need it.")
@click.option("--dry-run", is_flag=True, help="List every mistake and take nothing.")
@reason
@as_json
@asks
def import_(
    session: Session, kind: str, file: Path, crs: str | None, dry_run: bool, reason: str, as_json: bool
) -> None:
    """Add things and replace them by id; the file is taken whole or not at all."""
    form = "geojson" if file.suffix in {".geojson", ".json"} else "csv"
    query = {"reason": reason, "form": form, "crs": crs, "dry_run": dry_run}
    found = session.api.upload(f"/fleet/{kind}/import", file.read_bytes(), MEDIA_TYPES[form], query)
    told = [f"{found['rows']} rows, {found['added']} added, {found['replaced']} replaced"]
    told += [f"  line {one['line']}, {one['key']}: expected {one['expected']}" for one in found["mistakes"]]
    tell(found, as_json=as_json, lines=lambda: told)
    if found["mistakes"]:
        raise click.exceptions.Exit(1)


@fleet.command("object")
@click.argument("name")
@as_json
@asks
def object_(session: Session, name: str, as_json: bool) -> None:
    """A site or a ground now: open or not, who is there, what came and went, what its sensors say."""
    found = session.api.get(f"/fleet/objects/{name}/now")
    tell(found, as_json=as_json, lines=lambda: _object(found))


@fleet.command()
@as_json
@asks
def strangers(session: Session, as_json: bool) -> None:
    """Terminals that are in no truck of the register: refused by a gateway, or served by one."""
    found = session.api.get("/fleet/strangers")
    header = ("stranger", "standing", "gateway", "last", "plate", "maker", "model")
    rows = [
        (
            one["name"],
            one["standing"],
            one["gateway"],
            session.time(one["last_ms"]),
            *(one["told"].get(name) for name in ("plate", "maker", "model")),
        )
        for one in found
    ]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@fleet.command()
@click.argument("stranger")
@click.option("--truck", required=True, help="Its id in the register.")
@click.option("--plate", required=True)
@click.option("--company", required=True)
@click.option("--profile", default="jt808-std", show_default=True, help="How its gateway is to read it.")
@reason
@as_json
@asks
def adopt(
    session: Session,
    stranger: str,
    truck: str,
    plate: str,
    company: str,
    profile: str,
    reason: str,
    as_json: bool,
) -> None:
    """Make a terminal a truck of the register."""
    wanted = {"id": truck, "plate": plate, "company": company, "profile": profile, "reason": reason}
    found = session.api.send("POST", f"/fleet/strangers/{stranger}/adopt", wanted)
    told = [f"{truck} is in the register"]
    if found["device_line"]:
        line = ", ".join(f"{name}: {value}" for name, value in found["device_line"].items())
        told.append(f"for the devices of its gateway: {{{line}}}")
    tell(found, as_json=as_json, lines=lambda: told)


def _object(found: Mapping[str, Any]) -> Iterator[str]:
    hours = {None: "no hours", True: "open", False: "closed"}[found["open"]]
    yield f"{found['id']} {found['name']}: {found['kind']}, {hours}"
    yield f"  within: {' '.join(found['trucks']) or 'nobody'}"
    yield f"  today: {found['loads_today']} loads, {found['volume_today_m3']:g} m3; ever {found['volume_m3']:g} m3"
    if found["used"] is not None:
        yield f"  {found['used']:.1%} of {found['intake_m3']:g} m3"
    for device, told in found["sensors"].items():
        values = ", ".join(f"{name} {value:g}" for name, value in told["values"].items()) if told else "not served"
        yield f"  {device}: {values}"


def _cell(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list) else value
