"""`lamplighter truck`: where trucks are, what they do, what limits them."""

from collections.abc import Iterator, Mapping
from typing import Any

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

TRUCK = click.argument("truck")


@click.group()
def truck() -> None:
    """Trucks: live, their tracks and trips; limits asked for, approved, released."""


@truck.command("list")
@click.option("--company", help="Of one company alone.")
@as_json
@asks
def list_(session: Session, company: str | None, as_json: bool) -> None:
    """All trucks as they are now."""
    found = session.api.get("/fleet/positions", {"company": company})
    header = ("truck", "plate", "company", "doing", "km/h", "age s", "limits", "violations")
    rows = [
        (
            one["truck"],
            one["plate"],
            one["company"],
            one["trip"],
            one["values"].get("speed_kmh"),
            one["age_s"],
            " ".join(f"{what}:{state}" for what, state in one["limits"].items()),
            " ".join(one["violations"]),
        )
        for one in found["items"]
    ]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@truck.command()
@TRUCK
@as_json
@asks
def show(session: Session, truck: str, as_json: bool) -> None:
    """One truck as it is now."""
    found = session.api.get(f"/fleet/trucks/{truck}/now")
    tell(found, as_json=as_json, lines=lambda: _shown(found))


@truck.command()
@TRUCK
@as_json
@asks
def track(session: Session, truck: str, as_json: bool) -> None:
    """Where it was in the last hour."""
    found = session.api.get(f"/fleet/trucks/{truck}/track")
    names = ("latitude", "longitude", "speed_kmh")
    columns = [found["values"].get(name, [None] * len(found["time_ms"])) for name in names]
    rows = [
        (
            session.time(time_ms, seconds=True),
            *(f"{value:.5f}" if value is not None else None for value in place),
            speed,
        )
        for time_ms, *place, speed in zip(found["time_ms"], *columns, strict=True)
    ]
    tell(found, as_json=as_json, lines=lambda: table(("time", *names), rows))


@truck.command()
@TRUCK
@click.option("--hours", type=click.IntRange(1, 8784), default=24, show_default=True)
@as_json
@asks
def cards(session: Session, truck: str, hours: int, as_json: bool) -> None:
    """Drivers' cards in its reader, the newest first."""
    now_ms = int(session.api.get("/clock")["civil_ms"])
    span = {"start": now_ms - hours * 3_600_000, "end": now_ms + 1}
    found = session.api.get(f"/fleet/trucks/{truck}/cards", span)
    header = ("time", "card", "result", "name", "licence", "valid until")
    names = ("result", "name", "licence", "valid_until")
    rows = [
        (session.time(one["time_ms"]), "in" if one["inserted"] else "out", *(one[name] for name in names))
        for one in found
    ]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@truck.command()
@TRUCK
@click.argument("text")
@reason
@as_json
@asks
def speak(session: Session, truck: str, text: str, reason: str, as_json: bool) -> None:
    """Say something to the driver."""
    found = session.api.send("POST", f"/fleet/trucks/{truck}/speak", {"text": text, "reason": reason})
    tell(found, as_json=as_json, lines=lambda: [f"request {found['request']}"])


@truck.command()
@TRUCK
@reason
@as_json
@asks
def locate(session: Session, truck: str, reason: str, as_json: bool) -> None:
    """Ask it where it is."""
    found = session.api.send("POST", f"/fleet/trucks/{truck}/locate", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: [f"request {found['request']}"])


@truck.command()
@click.argument("trucks", nargs=-1, required=True)
@click.option("--kmh", "limit_kmh", type=click.FloatRange(10, 120), required=True)
@click.option("--hours", type=click.FloatRange(0, 72, min_open=True), default=24.0, show_default=True)
@click.option("--violation", help="The evidence.")
@reason
@as_json
@asks
def limit(
    session: Session,
    trucks: tuple[str, ...],
    limit_kmh: float,
    hours: float,
    violation: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Limit the speed of trucks; more than five wait for a second person."""
    wanted = {
        "trucks": list(trucks),
        "limit_kmh": limit_kmh,
        "for_s": hours * 3600,
        "violation": violation,
        "reason": reason,
    }
    found = session.api.send("POST", "/fleet/limits", wanted)
    tell(found, as_json=as_json, lines=lambda: _asked(session, found))


@truck.command()
@click.argument("ask")
@reason
@as_json
@asks
def approve(session: Session, ask: str, reason: str, as_json: bool) -> None:
    """Approve another person's limit of many trucks."""
    found = session.api.send("POST", f"/fleet/limit-asks/{ask}/approve", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: _asked(session, found))


@truck.command()
@click.argument("limit")
@reason
@as_json
@asks
def release(session: Session, limit: str, reason: str, as_json: bool) -> None:
    """End one truck's limit."""
    found = session.api.send("DELETE", f"/fleet/limits/{limit}", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: [f"{found['truck']}: {found['state']}"])


@truck.command()
@click.option("--past", is_flag=True, help="Also those that are over; the newest 100.")
@as_json
@asks
def limits(session: Session, past: bool, as_json: bool) -> None:
    """Limits in force, ours and those of others."""
    found = session.api.get("/fleet/limits", {"in_force": not past})
    header = ("limit", "truck", "what", "km/h", "state", "until", "detail")
    rows = [
        (
            one["id"],
            one["truck"],
            one["what"],
            one["limit_kmh"],
            one["state"],
            session.time(one["until_ms"]),
            one["detail"],
        )
        for one in found["items"]
    ]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


def _shown(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['truck']} {found['plate']} of {found['company'] or 'nobody'}: {found['trip']}"
    age = "nothing heard since the start" if found["age_s"] is None else f"{found['age_s']:g} s ago"
    yield f"  {age}: " + ", ".join(f"{name} {value}" for name, value in found["values"].items())
    yield from (f"  {what} limit: {state}" for what, state in found["limits"].items())
    yield from (f"  now: {kind}" for kind in found["violations"])


def _asked(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"{found['id']}: {found['limit_kmh']:g} km/h for {len(found['trucks'])} trucks, {found['state']}"
    yield f"  until {session.time(found['until_ms'])}: {found['reason']}"
    yield from (f"  needs a second person: {why}" for why in found["needs_approval"] if found["state"] == "pending")
