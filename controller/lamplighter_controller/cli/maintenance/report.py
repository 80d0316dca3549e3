"""`lamplighter report`: figures of maintenance, the orders behind them, and the monthly report."""

from pathlib import Path
from typing import Final

import click

from lamplighter_controller.cli.asking import Session, as_json, asks, reason, tell
from lamplighter_controller.cli.table import table

FORMS: Final = ("html", "pdf", "csv", "orders-csv")
BY: Final = ("all", "crew", "road", "company")
month: Final = click.argument("month", metavar="YYYY-MM")
_by: Final = click.option("--by", type=click.Choice(BY), default="all", show_default=True)


@click.group()
def report() -> None:
    """Figures of maintenance and monthly reports."""


@report.command()
@month
@_by
@click.option("--months", type=click.IntRange(1, 36), default=1, show_default=True, help="So many from MONTH on.")
@as_json
@asks
def figures(session: Session, month: str, by: str, months: int, as_json: bool) -> None:
    """Lit rate, timely repair, closing, recurrence, times to detect, arrive and repair."""
    found = session.api.get("/figures", {"month": month, "by": by, "months": months})
    rows = [
        (
            one["month"],
            one["key"],
            one["figure"],
            one["numerator"],
            one["denominator"],
            _value(one["value"], one["unit"]),
        )
        for one in found["items"]
    ]
    names = ("month", by, "figure", "numerator", "denominator", "value")
    tell(found, as_json=as_json, lines=lambda: table(names, rows))


@report.command()
@month
@click.argument("figure")
@_by
@click.option("--key", default="", help="Which crew, road or company.")
@as_json
@asks
def behind(session: Session, month: str, figure: str, by: str, key: str, as_json: bool) -> None:
    """The orders behind a figure."""
    found = session.api.get(f"/figures/{figure}/orders", {"month": month, "by": by, "key": key})
    rows = [(one["order"]["id"], one["order"]["class_id"], one["numerator"]) for one in found["items"]]
    tell(found, as_json=as_json, lines=lambda: table(("order", "class", "numerator"), rows))


@report.command("list")
@as_json
@asks
def list_(session: Session, as_json: bool) -> None:
    """Months that are reported."""
    found = session.api.get("/reports")["items"]
    rows = [(one["month"], session.time(one["made_ms"])) for one in found]
    tell(found, as_json=as_json, lines=lambda: table(("month", "made"), rows))


@report.command()
@month
@reason
@as_json
@asks
def make(session: Session, month: str, reason: str, as_json: bool) -> None:
    """Make a month's report now; it replaces the one that was made before."""
    found = session.api.send("POST", f"/reports/{month}", {"reason": reason})
    tell(found, as_json=as_json, lines=lambda: [f"{month}: made {session.time(found['made_ms'])}"])


@report.command()
@month
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--form", type=click.Choice(FORMS), help="Without it, by the file's name.")
@click.option("--language", type=click.Choice(("zh", "en")), default="zh", show_default=True)
@asks
def save(session: Session, month: str, file: Path, form: str | None, language: str) -> None:
    """Write a monthly report to a file: HTML, PDF or CSV."""
    chosen = form or file.suffix.removeprefix(".")
    if chosen not in FORMS:
        raise click.UsageError(f"{file}: expected a name ending in .html, .pdf or .csv, or --form")
    content = session.api.download(f"/reports/{month}", {"form": chosen, "language": language})
    file.write_bytes(content)
    click.echo(f"{file}: {len(content)} bytes")


def _value(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.2f} {unit}"
