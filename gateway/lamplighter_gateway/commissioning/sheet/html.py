"""The sheet for a printer: one file without scripts, A4. Pure."""

from collections.abc import Iterable
from html import escape
from typing import Final

from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.sheet import rows
from lamplighter_gateway.commissioning.sheet.model import Sheet
from lamplighter_gateway.commissioning.sheet.words import WORDS

_STYLE: Final = """
@page { size: A4; margin: 15mm } body { font: 10pt/1.4 "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: #111 }
h1 { font-size: 16pt; margin: 0 0 4mm } h2 { font-size: 12pt; margin: 6mm 0 2mm; break-after: avoid }
table { border-collapse: collapse; width: 100% } th, td { border: 0.2mm solid #777; padding: 1mm 2mm; text-align: left }
th { background: #eee } tr { break-inside: avoid } .sign { display: flex; gap: 10mm; margin-top: 15mm }
.sign div { flex: 1; border-top: 0.3mm solid #111; padding-top: 1mm }
"""
_LANG: Final = {Language.EN: "en", Language.ZH: "zh-CN"}


def page(made: Sheet, language: Language) -> str:
    """The whole file."""
    words = WORDS[language]
    title = f"{words['title']} {made.gateway}"
    differing = _table(rows.conflict_names(language), rows.conflicts(made, language))
    signing = "".join(f"<div>{escape(words[name])}</div>" for name in ("installer", "acceptor", "date"))
    return f"""<!DOCTYPE html>
<html lang="{_LANG[language]}"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style></head>
<body><h1>{escape(title)}</h1>
{_table((), rows.head(made, language))}
<h2>{escape(words["circuits"])}</h2>
{_table(rows.circuit_names(language), rows.circuits(made, language))}
<h2>{escape(words["conflicts"])}</h2>
{f"<p>{escape(words['none'])}</p>" if made.clean else differing}
<h2>{escape(words["every"])}</h2>
{_table(rows.lamp_names(language), rows.lamps(made, language))}
<div class="sign">{signing}</div></body></html>
"""


def _table(names: rows.Cells, cells: Iterable[rows.Cells]) -> str:
    head = f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in names)}</tr>" if names else ""
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in cells)
    return f"<table>{head}{body}</table>"
