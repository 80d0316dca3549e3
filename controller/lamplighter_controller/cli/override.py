"""`lamplighter override`: levels by hand, always with an end; emergency full light."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

SECONDS: Final = {"m": 60, "h": 3600, "": 60}
SHOWN: Final = 20

Command = TypeVar("Command", bound=Callable[..., Any])


class _Span(click.ParamType[int]):
    """`90m` or `2h` as seconds; a bare number is minutes."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        number, unit = (text[:-1], text[-1]) if text[-1:] in {"m", "h"} else (text, "")
        try:
            return round(float(number) * SECONDS[unit])
        except ValueError:
            self.fail(f"{text!r}: expected a time such as 90m or 2h", param, ctx)


def _whom(command: Command) -> Command:
    for option in (
        click.option("--area", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="GeoJSON polygon."),
        click.option(
            "--district", "districts", multiple=True, help="Of the inventory; may be repeated, as the others."
        ),
        click.option("--road", "roads", multiple=True, help="Of the inventory."),
        click.option("--group", "groups", multiple=True, help="Of the inventory."),
        click.option("--lamp", "lamps", multiple=True),
    ):
        command = option(command)
    return command


@click.group()
def override() -> None:
    """Levels by hand: for lamps, groups, roads, districts or an area; always with an end."""


@override.command("set")
@click.argument("level_percent", type=click.FloatRange(0, 100))
@_whom
@click.option("--for", "for_s", type=_Span(), default="2h", show_default=True, help="At most 12h, in the city's time.")
@reason
@as_json
@asks
def set_(session: Session, /, level_percent: float, for_s: int, reason: str, as_json: bool, **whom: Any) -> None:
    """Set a level. Above 5 % of all lamps dark by hand it waits for a second person."""
    wanted = {"level_percent": level_percent, "for_s": for_s, "reason": reason, **_named(whom)}
    _tell(session, session.api.send("POST", "/overrides", wanted), as_json=as_json)


@override.command()
@_whom
@click.option("--for", "for_s", type=_Span(), required=True, help="Such as 90m or 2h, in the city's time.")
@reason
@as_json
@asks
def emergency(session: Session, /, for_s: int, reason: str, as_json: bool, **whom: Any) -> None:
    """Full light above every other wish; one person is enough."""
    wanted = {"emergency": True, "for_s": for_s, "reason": reason, **_named(whom)}
    _tell(session, session.api.send("POST", "/overrides", wanted), as_json=as_json)


@override.command("list")
@click.option("--past", is_flag=True, help="Everything that was asked for, the newest 50.")
@as_json
@asks
def list_(session: Session, past: bool, as_json: bool) -> None:
    """What waits for a second person and what is in force."""
    found = session.api.get("/overrides/past" if past else "/overrides")
    header = ("override", "level", "lamps", "until", "state", "by", "reason")
    rows = [
        (
            one["id"],
            "emergency" if one["emergency"] else f"{one['level_percent']:g} %",
            one["lamps"],
            session.time(one["until_ms"]),
            _state(one),
            one["by"],
            one["reason"],
        )
        for one in found["items"]
    ]
    tell(found, as_json=as_json, lines=lambda: table(header, rows))


@override.command()
@click.argument("override")
@as_json
@asks
def show(session: Session, override: str, as_json: bool) -> None:
    """One of them, and what was read back from its lamps."""
    _tell(session, session.api.get(f"/overrides/{override}"), as_json=as_json)


@override.command()
@click.argument("override")
@reason
@as_json
@asks
def approve(session: Session, override: str, reason: str, as_json: bool) -> None:
    """Let another person's go out."""
    _tell(session, session.api.send("POST", f"/overrides/{override}/approve", {"reason": reason}), as_json=as_json)


@override.command()
@click.argument("override")
@reason
@as_json
@asks
def resume(session: Session, override: str, reason: str, as_json: bool) -> None:
    """End one: its lamps go back to plan."""
    found = session.api.send("DELETE", f"/overrides/{override}", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: [f"{found['id']} has ended" if found["request"] else "it was withdrawn"])


def _named(whom: Mapping[str, Any]) -> dict[str, Any]:
    """Whom the call names, as the API takes it."""
    area: Path | None = whom["area"]
    wanted = {name: list(names) for name, names in whom.items() if name != "area"}
    if area is None:
        return wanted
    try:
        document = json.loads(area.read_bytes())
    except ValueError as error:
        raise click.UsageError(f"{area} is no JSON: {error}") from error
    return wanted | {"area": document.get("geometry", document) if isinstance(document, dict) else document}


def _tell(session: Session, found: Mapping[str, Any], *, as_json: bool) -> None:
    tell(found, as_json=as_json, lines=lambda: _lines(session, found))


def _lines(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    level = "emergency, full light" if found["emergency"] else f"{found['level_percent']:g} %"
    until = session.time(found["until_ms"])
    yield f"{found['id']}: {level} for {found['lamps']:,} lamps until {until}, {_state(found)}"
    yield f"  {found['reason']} ({', '.join([found['by'], *found['approvals']])})"
    for why in found["needs_approval"] if found["state"] == "pending" else ():
        yield f"  needs a second person: {why}"
    if found["request"]:
        yield f"  {found['verified']:,} read back, {found['not_verified']:,} not (yet)"
    missing = [one for one in found["read_back"] if not one["verified"]]
    for one in missing[:SHOWN]:
        yield f"    {one['lamp']} at {one['gateway']}: {one['state']} {one['reason']}".rstrip()
    if len(missing) > SHOWN:
        yield f"    and {len(missing) - SHOWN:,} more; --json has them"


def _state(one: Mapping[str, Any]) -> str:
    return "in force" if one["in_force"] else str(one["state"])
