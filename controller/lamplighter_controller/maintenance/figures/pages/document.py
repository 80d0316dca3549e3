"""The monthly report as PDF. The Chinese font is one that every reader brings, so the file needs no font of ours."""

import io
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib import colors  # type: ignore[import-untyped]  # reportlab has no types
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]  # reportlab has no types
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]  # reportlab has no types
from reportlab.lib.units import mm  # type: ignore[import-untyped]  # reportlab has no types
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]  # reportlab has no types
from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]  # reportlab has no types
from reportlab.platypus import (  # type: ignore[import-untyped]  # reportlab has no types
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)

from lamplighter_controller.maintenance.figures.columns import By
from lamplighter_controller.maintenance.figures.definitions import LIT_RATE
from lamplighter_controller.maintenance.figures.figuring import Figure
from lamplighter_controller.maintenance.figures.pages.words import counted, language_of, local, proof_of, shown, word
from lamplighter_controller.maintenance.figures.report import Report, definitions, lowest

FONT: Final = "STSong-Light"  # Adobe-GB1, of the PDF standard's own Asian fonts
MOST_ROADS: Final = 40
MOST_ORDERS: Final = 500
MARGIN_MM: Final = 15
STYLE: Final = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.grey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ]
)


@cache
def _style(name: str) -> Any:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    size = {"title": 16, "head": 12, "text": 9, "cell": 7.5}[name]
    return ParagraphStyle(name, fontName=FONT, fontSize=size, leading=size * 1.35, wordWrap="CJK")


def document(report: Report, language: str) -> bytes:
    """The whole file, in Chinese or English; the same report makes the same bytes."""
    place = language_of(language)
    title = f"{report.city[place]} · {word('report', language)} · {report.month}"
    made = f"{word('made', language)} {local(report.made_ms, report.zone)}; "
    made += f"{word('through', language)} {local(report.through_ms, report.zone)}"
    story: list[Any] = [Paragraph(escape(title), _style("title")), Spacer(1, 2 * mm), Paragraph(made, _style("text"))]
    for by in (By.ALL, By.COMPANY, By.CREW):
        story += _section(word(by.value, language), _figures(report.of(by), language))
    worst = lowest(report.of(By.ROAD), LIT_RATE, MOST_ROADS) + lowest(report.of(By.ROAD), "timely_repair", MOST_ROADS)
    story += _section(word("worst", language), _figures(worst, language))
    story += _section(word("definitions", language), _definitions(language))
    story += _section(word("orders", language), _orders(report))
    out = io.BytesIO()
    margin = MARGIN_MM * mm
    SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=margin,
        rightMargin=margin,
        topMargin=margin,
        bottomMargin=margin,
        title=title,
        invariant=1,
    ).build(story)
    return out.getvalue()


def _section(title: str, table: Any) -> list[Any]:
    return [Spacer(1, 4 * mm), Paragraph(escape(title), _style("head")), Spacer(1, 1 * mm), table]


def _figures(figures: Sequence[Figure], language: str) -> Any:
    titles = {one.figure: one.title[language_of(language)] for one in definitions()}
    names = [word(name, language) for name in ("group", "figure", "numerator", "denominator", "value", "proof")]
    rows = (
        (
            one.key or "–",
            titles[one.figure],
            counted(one.numerator),
            counted(one.denominator),
            shown(one),
            proof_of(one, language),
        )
        for one in figures
    )
    return _table(names, rows, (28, 38, 28, 28, 24, 34))


def _definitions(language: str) -> Any:
    place = language_of(language)
    names = [word(name, language) for name in ("figure", "numerator", "denominator", "aim")]
    rows = ((one.title[place], one.numerator[place], one.denominator[place], one.aim or "–") for one in definitions())
    return _table(names, rows, (36, 60, 60, 24))


def _orders(report: Report) -> Any:
    names = ("order", "class", "element", "crew", "state", "due", "done", "proved")
    rows = (
        (
            one.id,
            one.class_id,
            one.element,
            one.crew,
            one.state.value,
            *(local(time_ms, report.zone) if time_ms else "–" for time_ms in (one.due_ms, one.done_ms, one.proved_ms)),
        )
        for one in report.orders[:MOST_ORDERS]
    )
    return _table(names, rows, (20, 22, 30, 18, 18, 24, 24, 24))


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], widths_mm: Sequence[float]) -> Any:
    cells = [[Paragraph(escape(cell), _style("cell")) for cell in row] for row in (names, *rows)]
    return LongTable(cells, colWidths=[width * mm for width in widths_mm], repeatRows=1, style=STYLE)
