"""`lamplighter part`: what is in store, what came and went, what was put in where."""

from typing import Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

KINDS: Final = ("lamp", "driver", "controller", "cable", "protector", "pole", "other")


@click.group()
def part() -> None:
    """Parts and material."""


@part.command("list")
@as_json
@asks
def list_(session: Session, as_json: bool) -> None:
    """Every kind of part with what is in store."""
    found = session.api.get("/parts")["items"]
    rows = [
        (one["id"], one["kind"], one["in_store"], one["unit"], "low" if one["low"] else "", len(one["batches"]))
        for one in found
    ]
    tell(found, as_json=as_json, lines=lambda: table(("part", "kind", "in store", "unit", "", "batches"), rows))


@part.command()
@click.argument("part")
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option("--name", default="")
@click.option("--unit", default="piece", show_default=True)
@click.option("--model", help="The luminaire model it is.")
@click.option("--warranty-days", type=int, default=0, show_default=True)
@click.option("--least", type=float, default=0.0, show_default=True, help="Below it there is too little in store.")
@reason
@asks
def put(
    session: Session,
    part: str,
    kind: str,
    name: str,
    unit: str,
    model: str | None,
    warranty_days: int,
    least: float,
    reason: str,
) -> None:
    """Add or replace a kind of part."""
    body = {
        "id": part,
        "kind": kind,
        "name": name,
        "unit": unit,
        "model": model,
        "warranty_days": warranty_days,
        "least": least,
    }
    session.api.send("PUT", "/parts", {"part": body, "reason": reason})
    click.echo(f"{part}: kept")


@part.command()
@click.argument("part")
@click.argument("quantity", type=float)
@click.option("--batch", default="")
@reason
@click.option("--key", help="Your own name for this action: sending it again changes nothing.")
@as_json
@asks
def move(session: Session, part: str, quantity: float, batch: str, reason: str, key: str | None, as_json: bool) -> None:
    """Put into the store, or take out for good with a quantity below 0 (after `--`)."""
    body = {"part": part, "quantity": quantity, "batch": batch, "reason": reason}
    found = session.api.send("POST", "/parts/moves", body, key=key)
    tell(found, as_json=as_json, lines=lambda: [f"{part}: {quantity:+g}"])


@part.command()
@click.option("--element")
@click.option("--pole")
@click.option("--batch")
@as_json
@asks
def history(session: Session, element: str | None, pole: str | None, batch: str | None, as_json: bool) -> None:
    """What was put in where, the newest first."""
    found = session.api.get("/parts/history", {"element": element, "pole": pole, "batch": batch})["items"]
    rows = [
        (
            session.time(one["at_ms"]),
            one["element"],
            one["pole"],
            one["part"],
            one["batch"],
            one["serial"],
            one["order"],
        )
        for one in found
    ]
    names = ("time", "element", "pole", "part", "batch", "serial", "order")
    tell(found, as_json=as_json, lines=lambda: table(names, rows))
