"""`lamplighter audit`: who did what, and the proof that nothing of it was changed."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, tell
from lamplighter_controller.cli.key_file import public_key
from lamplighter_controller.cli.table import table
from lamplighter_controller.security.audit import Head
from lamplighter_controller.security.trail_file import Checked, check, end_of

TAMPERED: Final = 1
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def audit() -> None:
    """Who did what, to what, why, and what came of it; what was refused, too."""


@audit.command("list")
@click.option("--subject", help="Of one thing, as `device:lamp-01-017`.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@as_json
@asks
def list_(session: Session, subject: str | None, limit: int, as_json: bool) -> None:
    """The newest first."""
    found = session.api.get("/audit", {"subject": subject, "limit": limit})
    tell(found, as_json=as_json, lines=lambda: _rows(session, found))


@audit.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@asks
def export(session: Session, file: Path) -> None:
    """Write the whole trail, its end signed, into a file: keep it where the controller's own people cannot reach."""
    rows = 0
    with file.open("xb") as target:
        for part in session.api.stream("/audit/export"):
            rows += part.count(b"\n")
            target.write(part)
    click.echo(f"{file}: {max(rows - 2, 0)} rows")


@audit.command()
@click.argument("file", type=_FILE, required=False)
@click.option("--key", type=_FILE, help="The root's public key (root.pub); from elsewhere.")
@click.option("--after", type=_FILE, help="An earlier export, which this one has to go on from.")
@as_json
@asks
def verify(session: Session, file: Path | None, key: Path | None, after: Path | None, as_json: bool) -> None:
    """Check an exported trail without a server, or without a FILE the controller's own. Ends with 1 when changed."""
    if file is None:
        _verify_running(session, as_json=as_json)
        return
    root_public = None if key is None else public_key(key)
    with file.open("rb") as lines:
        checked = check(lines, root_public, None if after is None else _end(after))
    shown = {name: getattr(checked, name) for name in Checked.__slots__} | {"whole": not checked.wrong}
    tell(shown, as_json=as_json, lines=lambda: _checked(file, checked))
    if checked.wrong:
        raise click.exceptions.Exit(TAMPERED)


def _verify_running(session: Session, *, as_json: bool) -> None:
    verdict = session.api.send("POST", "/audit/verify", {})
    wrong = f"the trail is NOT whole: row {verdict['number']}: {verdict['detail']}"
    tell(verdict, as_json=as_json, lines=lambda: [("the trail is whole" if verdict["whole"] else wrong)])
    if not verdict["whole"]:
        raise click.exceptions.Exit(TAMPERED)


def _end(file: Path) -> Head:
    last = b""
    with file.open("rb") as lines:
        for line in lines:
            last = line
    end = end_of(last)
    if end is None:
        raise click.UsageError(f"{file} is no exported audit trail, or was cut")
    return end


def _rows(session: Session, found: Mapping[str, Any]) -> Iterator[str]:
    columns = ("number", "who", "action", "subject", "reason", "result")
    rows = [(session.time(one["time_ms"]), *(one[name] for name in columns)) for one in found["items"]]
    yield from table(("time", "row", *columns[1:]), rows)


def _checked(file: Path, checked: Checked) -> Iterator[str]:
    if checked.wrong:
        yield f"{file} is NOT as it was recorded: {checked.wrong}"
        return
    yield f"{file} is whole: {checked.rows} rows of {checked.controller}"
    if checked.signer_known:
        yield "its end is signed by a key that yours vouches for"
    else:
        yield "WHO signed its end is not proven: hand in your controller's root.pub with --key"
