"""The monthly report as one HTML file without anything from elsewhere. Pure."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from lamplighter_controller.maintenance.figures.columns import By
from lamplighter_controller.maintenance.figures.definitions import LIT_RATE
from lamplighter_controller.maintenance.figures.figuring import Figure
from lamplighter_controller.maintenance.figures.pages.words import counted, language_of, local, proof_of, shown, word
from lamplighter_controller.maintenance.figures.report import Report, definitions, lowest

MOST_ORDERS: Final = 2_000
MOST_ROADS: Final = 50
STYLE: Final = (
    "body{font:14px/1.5 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;margin:2rem auto;max-width:72rem;"
    "padding:0 1rem;color:#1a1a1a}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}"
    "th,td{border-bottom:1px solid #ccc;padding:.3rem .5rem;text-align:left;vertical-align:top}"
    "td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}h1{font-size:1.6rem}h2{font-size:1.15rem}"
    "@media print{body{margin:0;max-width:none}}"
)


def page(report: Report, language: str) -> str:
    """The whole file, in Chinese or English."""
    place = language_of(language)
    title = f"{report.city[place]} · {word('report', language)} · {report.month}"
    made = f"{word('made', language)} {local(report.made_ms, report.zone)}; "
    made += f"{word('through', language)} {local(report.through_ms, report.zone)} ({report.zone})"
    parts = [f"<h1>{escape(title)}</h1><p>{escape(made)}</p>"]
    parts += [
        f"<h2>{word(by.value, language)}</h2>{_figures(report.of(by), language)}"
        for by in (By.ALL, By.COMPANY, By.CREW)
    ]
    worst = lowest(report.of(By.ROAD), LIT_RATE, MOST_ROADS) + lowest(report.of(By.ROAD), "timely_repair", MOST_ROADS)
    parts.append(f"<h2>{word('worst', language)}</h2>{_figures(worst, language)}")
    parts.append(f"<h2>{word('parts', language)}</h2>{_used(report, language)}")
    parts.append(f"<h2>{word('definitions', language)}</h2>{_definitions(language)}")
    parts.append(f"<h2>{word('orders', language)}</h2>{_orders(report)}")
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    tag = "zh-CN" if language == "zh" else "en"
    return f'<!doctype html><html lang="{tag}"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _figures(figures: Sequence[Figure], language: str) -> str:
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
    return _table(names, rows, numbers=(2, 3, 4))


def _definitions(language: str) -> str:
    place = language_of(language)
    names = [word(name, language) for name in ("figure", "numerator", "denominator", "aim")]
    rows = ((one.title[place], one.numerator[place], one.denominator[place], one.aim or "–") for one in definitions())
    return _table(names, rows)


def _used(report: Report, language: str) -> str:
    rows = [(one.part, one.name, counted(one.quantity), one.unit) for one in report.used]
    return _table(("", "", "", ""), rows, numbers=(2,)) if rows else f"<p>{word('none', language)}</p>"


def _orders(report: Report) -> str:
    names = ("order", "class", "element", "road", "crew", "state", "due", "done", "proved", "proof")
    zone = report.zone
    rows = (
        (
            one.id,
            one.class_id,
            one.element,
            one.road,
            one.crew,
            one.state.value,
            *(local(time_ms, zone) if time_ms else "–" for time_ms in (one.due_ms, one.done_ms, one.proved_ms)),
            one.proof.value if one.proved_ms else "–",
        )
        for one in report.orders[:MOST_ORDERS]
    )
    return _table(names, rows)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        marks = [' class="n"' if place in numbers else "" for place in range(len(cells))]
        shown = (f"<{tag}{mark}>{escape(cell)}</{tag}>" for mark, cell in zip(marks, cells, strict=True))
        return f"<tr>{''.join(shown)}</tr>"

    return f"<table>{row(names, 'th')}{''.join(row(one, 'td') for one in rows)}</table>"
