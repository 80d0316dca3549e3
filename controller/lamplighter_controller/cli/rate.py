"""`lamplighter rate`: the lit rate that can be proven, energy and bills, burning hours."""

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

BY: Final = ("city", "class", "road", "district")
NIGHT = click.argument("night", metavar="YYYY-MM-DD")
TIME: Final = "%Y-%m-%d %H:%M"


@click.group()
def rate() -> None:
    """What was lit, what it took, how long it burned."""


@rate.command()
@click.option("--night", metavar="YYYY-MM-DD", help="Else the last one that is over.")
@click.option("--by", type=click.Choice(BY), default="city", show_default=True)
@as_json
@asks
def show(session: Session, night: str | None, by: str, as_json: bool) -> None:
    """The lit rate of a night: as reported, and with unknown time taken for dark and for lit."""
    found = session.api.get("/rates", {"night": night, "by": by})
    tell(found, as_json=as_json, lines=lambda: _rates(session, found))


@rate.command()
@as_json
@asks
def nights(session: Session, as_json: bool) -> None:
    """Nights that were worked out."""
    found = session.api.get("/rates/nights")
    rows = [(one["night"], session.time(one["through_ms"]), one["over"], one["due"]) for one in found["items"]]
    tell(found, as_json=as_json, lines=lambda: table(("night", "looked at until", "over", "due again"), rows))


@rate.command("list")
@NIGHT
@click.option("--state", type=click.Choice(["dark", "unknown"]), help="Lamps that were so for some of the time.")
@click.option("--road")
@click.option("--district")
@click.option("--cabinet")
@as_json
@asks
def list_(session: Session, /, night: str, as_json: bool, **where: str | None) -> None:
    """The lamps behind the figures: those that were not proven lit all the time they were due."""
    found = session.api.every(f"/rates/{night}/list", where)
    header = ("lamp", "road", "cabinet", "dark min", "unknown min", "of", "since", "proof")
    rows = [
        (
            one["device"] or one["lamp"],
            one["road"],
            one["cabinet"],
            one["dark_min"],
            one["unknown_min"],
            one["required_min"],
            session.time(one["since_ms"]),
            one["proof"],
        )
        for one in found
    ]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@rate.command("work-out")
@NIGHT
@reason
@as_json
@asks
def work_out(session: Session, night: str, reason: str, as_json: bool) -> None:
    """Work a night out again from everything that has come in since."""
    found = session.api.send("POST", f"/rates/{night}/work-out", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: [f"{night}: looked at until {session.time(found['through_ms'])}"])


@rate.command()
@click.argument("file", type=click.File("r"))
@reason
@as_json
@asks
def patrol(session: Session, file: Any, reason: str, as_json: bool) -> None:
    """Say what a patrol saw: CSV with the columns lamp, time (YYYY-MM-DD HH:MM) and lit (yes or no)."""
    sightings = [_sighting(session, number, row) for number, row in enumerate(csv.DictReader(file), start=2)]
    found = session.api.send("POST", "/rates/patrols", {"reason": reason, "sightings": sightings})
    tell(found, as_json=as_json, lines=lambda: [f"{found['taken']:,} sightings were taken"])


@rate.command()
@click.option("--from", "first", metavar="YYYY-MM-DD", required=True, help="First night.")
@click.option("--to", "last", metavar="YYYY-MM-DD", required=True, help="Last night.")
@click.option("--by", type=click.Choice(["account", "cabinet", "city"]), default="account", show_default=True)
@as_json
@asks
def energy(session: Session, first: str, last: str, by: str, as_json: bool) -> None:
    """Metered energy, its bill, and what the saving is made of."""
    found = session.api.get("/energy", {"from": first, "to": last, "by": by})
    tell(found, as_json=as_json, lines=lambda: _energy(found))


@rate.command()
@click.option("--lamp", help="One only.")
@as_json
@asks
def hours(session: Session, lamp: str | None, as_json: bool) -> None:
    """Burning hours and how often lamps were switched on."""
    found = session.api.every("/burning-hours", {"lamp": lamp})
    rows = [(one["device"] or one["lamp"], one["burning_h"], one["starts"], one["source"]) for one in found]
    tell(found, as_json=as_json, lines=lambda: table(("lamp", "burning h", "starts", "source"), rows))


def _rates(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    until = "" if found["over"] else f", so far until {session.time(found['through_ms'])}"
    yield f"night of {found['night']}{until}"
    header = (found["by"], "lamps", "reported %", "worst %", "best %", "dark lamps", "unknown", "rule")
    rows = [
        (
            one["name"] or one["key"],
            one["lamps"],
            one["reported_percent"],
            one["worst_percent"],
            one["best_percent"],
            one["dark_lamps"],
            one["unknown_lamps"],
            one["rule"] and one["rule"]["verdict"],
        )
        for one in found["items"]
    ]
    yield from table(header, rows)


def _energy(found: Mapping[str, Any]) -> Iterator[str]:
    missing = f", {len(found['missing'])} nights are missing" if found["missing"] else ""
    yield f"{found['total_kwh']:,.0f} kWh in {found['nights']} nights{missing}; baseline: {found['baseline']['name']}"
    header = (
        found["by"],
        "kWh",
        "cost",
        "saved kWh",
        "LED",
        "hours",
        "dimming",
        "dark (false)",
        "standby",
        "claimed %",
    )
    yield from table(header, [_bill(one) for one in found["items"]])


def _bill(one: Mapping[str, Any]) -> tuple[Any, ...]:
    saving = one["saving"] or {}
    cost = ", ".join(f"{value:,.2f} {currency}" for currency, value in one["cost"].items())
    parts = ("saved_kwh", "led_kwh", "hours_kwh", "dimming_kwh", "dark_kwh", "standby_kwh", "claimed_percent")
    return (one["key"], one["metered_kwh"], cost, *(saving.get(name) for name in parts))


def _sighting(session: Session, line: int, row: Mapping[str, str]) -> dict[str, Any]:
    try:
        seen = datetime.strptime(row["time"], TIME).replace(tzinfo=session.zone)
        lit = {"yes": True, "no": False}[row["lit"].strip().lower()]
        return {"lamp": row["lamp"], "time_ms": round(seen.timestamp() * 1000), "lit": lit}
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise click.UsageError(f"line {line}: expected lamp, time (YYYY-MM-DD HH:MM) and lit (yes or no)") from error
