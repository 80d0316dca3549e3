"""`lamplighter library`: programs, calendars, assignments and whatever else plans are made of."""

import json
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

SHELVES: Final = ("programs", "calendars", "assignments", "adaptive", "almanacs", "signals", "scenes")
SHELF = click.argument("shelf", type=click.Choice(SHELVES))


@click.group()
def library() -> None:
    """What plans are made of; a change changes no lamp until a plan is published."""


@library.command("list")
@SHELF
@as_json
@asks
def list_(session: Session, shelf: str, as_json: bool) -> None:
    """All items of a shelf, and who changed them."""
    found = session.api.get(f"/{shelf}")
    rows = [(one["id"], one["version"], session.time(one["changed_ms"]), one["changed_by"]) for one in found["items"]]
    tell(found, as_json=as_json, lines=lambda: table(("id", "version", "changed", "by"), rows))


@library.command()
@SHELF
@click.argument("item")
@as_json
@asks
def show(session: Session, shelf: str, item: str, as_json: bool) -> None:
    """One item as `put` takes it; with --json its version and who changed it are around it."""
    found = session.api.get(f"/{shelf}/{item}")
    tell(found if as_json else found["body"], as_json=True, lines=lambda: ())


@library.command()
@SHELF
@click.argument("item")
@click.argument("file", type=click.File("r"))
@reason
@as_json
@asks
def put(session: Session, shelf: str, item: str, file: Any, reason: str, as_json: bool) -> None:
    """Add or replace an item from a JSON file; `-` reads standard input."""
    try:
        body = json.load(file)
    except ValueError as error:
        raise click.UsageError(f"{Path(file.name).name} is no JSON: {error}") from error
    found = session.api.send("PUT", f"/{shelf}/{item}", {"reason": reason, "body": body})
    tell(found, as_json=as_json, lines=lambda: [f"{shelf} {item} is at version {found['version']}"])


@library.command()
@SHELF
@click.argument("item")
@reason
@as_json
@asks
def remove(session: Session, shelf: str, item: str, reason: str, as_json: bool) -> None:
    """Take an item away; plans that were made before keep their copy."""
    session.api.send("DELETE", f"/{shelf}/{item}", {"reason": reason})
    gone = {"shelf": shelf, "id": item, "removed": True}
    tell(gone, as_json=as_json, lines=lambda: [f"{shelf} {item} is removed"])
