"""`lamplighter waybill`: loads from site to ground, and whether they arrived."""

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, tell
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
@click.option("--hours", type=click.IntRange(1, 8784), default=24, show_default=True, help="Of the last hours.")
@as_json
@asks
def figures(session: Session, hours: int, as_json: bool) -> None:
    """Each company: online rate, violations, what followed, closed waybills."""
    found = session.api.get("/fleet/figures", _span(session, hours))
    header = ("company", "trucks", "online", "violations", "per truck-day", "acted on", "limited h", "closed")
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
    rows = [[f"{one[name]:.1%}" if _is_share(name, one[name]) else one[name] for name in names] for one in found]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


def _is_share(name: str, value: object) -> bool:
    return name.endswith("_rate") and value is not None


def _span(session: Session, hours: int) -> dict[str, int]:
    now_ms = int(session.api.get("/clock")["civil_ms"])
    return {"start": now_ms - hours * HOUR_MS, "end": now_ms + 1}
