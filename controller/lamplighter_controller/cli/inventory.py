"""`lamplighter inventory`: what stands in the streets, from files and into files."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

KINDS: Final = ("districts", "roads", "cabinets", "circuits", "luminaire-models", "luminaires", "groups")
MEDIA_TYPES: Final = {"csv": "text/csv", "geojson": "application/geo+json"}
SYSTEMS: Final = ("wgs84", "cgcs2000", "gcj02", "bd09")
SHOWN: Final = 6  # columns of a list

KIND = click.argument("kind", type=click.Choice(KINDS))


@click.group()
def inventory() -> None:
    """Districts, roads, cabinets, circuits, models, luminaires, groups."""


@inventory.command("list")
@KIND
@as_json
@asks
def list_(session: Session, kind: str, as_json: bool) -> None:
    """All things of a kind; `export` has every column."""
    found = session.api.every(f"/{kind}")
    names = list(found[0])[:SHOWN] if found else ["id"]
    rows = [[_cell(one[name]) for name in names] for one in found]
    tell(found, as_json=as_json, lines=lambda: table(names, rows))


@inventory.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kind", type=click.Choice(KINDS), help="Without it the file is named after its kind: luminaires.csv.")
@click.option("--crs", type=click.Choice(SYSTEMS), help="Coordinate system of the positions; files with some need it.")
@click.option("--dry-run", is_flag=True, help="List every mistake and take nothing.")
@reason
@as_json
@asks
def import_(
    session: Session,
    files: tuple[Path, ...],
    kind: str | None,
    crs: str | None,
    dry_run: bool,
    reason: str,
    as_json: bool,
) -> None:
    """Add things and replace them by id, file by file; each is taken whole or not at all."""
    answers = {}
    for file in files:
        form = "geojson" if file.suffix in {".geojson", ".json"} else "csv"
        query = {"reason": reason, "form": form, "crs": crs, "dry_run": dry_run}
        path = f"/{kind or _kind_of(file)}/import"
        answers[str(file)] = answer = session.api.upload(path, file.read_bytes(), MEDIA_TYPES[form], query)
        if not as_json:
            tell(answer, as_json=False, lines=lambda: _taken(file, answer))  # noqa: B023 - called at once
    if as_json:
        tell(answers, as_json=True, lines=lambda: ())
    if any(answer["mistakes"] for answer in answers.values()):
        raise click.exceptions.Exit(1)


@inventory.command()
@KIND
@click.option("--form", type=click.Choice([*MEDIA_TYPES]), default="csv", show_default=True)
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), help="A file; else it is printed.")
@as_json
@asks
def export(session: Session, kind: str, form: str, file: Path | None, as_json: bool) -> None:
    """All things of a kind as the import takes them; positions are WGS-84.

    With --json the file's text, or its name and size, in an object.
    """
    content = session.api.download(f"/{kind}/export", {"form": form})
    told = {"kind": kind, "form": form, "bytes": len(content)}
    if file is not None:
        file.write_bytes(content)
        tell(told | {"file": str(file)}, as_json=as_json, lines=lambda: ())
    elif as_json:
        tell(told | {"content": content.decode()}, as_json=True, lines=lambda: ())
    else:
        click.echo(content.decode(), nl=False)


def _kind_of(file: Path) -> str:
    if file.stem not in KINDS:
        raise click.UsageError(f"{file}: named after no kind; say which with --kind ({', '.join(KINDS)})")
    return file.stem


def _taken(file: Path, answer: Mapping[str, Any]) -> Iterator[str]:
    if answer["mistakes"]:
        yield f"{file}: {len(answer['mistakes']):,} mistakes"
        yield from (f"  {_mistake(one)}" for one in answer["mistakes"])
    elif answer["dry_run"]:
        yield f"{file}: {answer['rows']:,} rows without a mistake; nothing was taken"
    else:
        yield f"{file}: {answer['added']:,} added, {answer['replaced']:,} replaced"


def _mistake(one: Mapping[str, Any]) -> str:
    found = f" is {one['value']!r}," if one["value"] else ""
    where = f"line {one['line']}" + (f", {one['key']}" if one["key"] else "")
    return f"{where}:{found} expected {one['expected']}"


def _cell(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
