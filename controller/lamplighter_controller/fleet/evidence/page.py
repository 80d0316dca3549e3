"""The printed page of a package: what a person at a desk or in court reads. Pure; opens without a network."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, Final
from zoneinfo import ZoneInfo

from lamplighter_controller.fleet.evidence.manifest import Entry, Missing
from lamplighter_controller.fleet.evidence.words import CLASSES, STATES, WORDS, word

STYLE: Final = """
@page { size: A4; margin: 15mm }
body { font: 10.5pt/1.45 "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; color: #111; max-width: 180mm;
margin: auto }
h1 { font-size: 16pt; border-bottom: 2px solid #111 } h2 { font-size: 12pt; margin: 5mm 0 1mm; break-after: avoid }
table { border-collapse: collapse; width: 100% } th, td { border: 1px solid #999; padding: 1mm 2mm; text-align: left;
vertical-align: top; overflow-wrap: anywhere } th { background: #f0f0f0; font-weight: 600 } tr { break-inside: avoid }
img { max-width: 80mm; max-height: 60mm; margin: 1mm } code { font-size: 8pt } svg { width: 100%; height: 70mm }
"""
WIDTH: Final = 600.0
HEIGHT: Final = 240.0


class Page:
    """One page in one language; `facts` are those of `violation.json`."""

    def __init__(self, facts: Mapping[str, Any], language: str, zone: ZoneInfo) -> None:
        """Write in `language`, times in `zone`."""
        self._facts, self._language, self._zone = facts, language, zone

    def html(self, parts: Sequence[Entry], missing: Sequence[Missing], points: Sequence[tuple[float, float]]) -> bytes:
        """The whole page; photos are shown from beside it."""
        title = escape(self._word("title"))
        body = "".join([f"<h1>{title}</h1>", *self._sections(parts, missing, points)])
        head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
        return f'<!doctype html><html lang="{self._language}"><head>{head}</head><body>{body}</body></html>\n'.encode()

    def _sections(
        self, parts: Sequence[Entry], missing: Sequence[Missing], points: Sequence[tuple[float, float]]
    ) -> Iterator[str]:
        facts = self._facts
        yield self._pairs(self._head())
        yield self._section("evidence", self._pairs((name, _text(value)) for name, value in facts["evidence"].items()))
        yield self._section("track", _drawing(points))
        yield self._section("quality", self._pairs((name, _text(value)) for name, value in facts["quality"].items()))
        yield self._section("states", self._rows(("time", "state", "what"), self._changes()))
        yield self._section("limits", self._rows(("time", "what", "state", "reason"), self._limits()))
        yield self._section("commands", self._rows(("time", "what", "who", "state", "reason"), self._commands()))
        yield self._section("steps", self._rows(("time", "state", "who", "reason"), self._steps()))
        photos = [one for one in parts if one.media_type.startswith("image/")]
        yield self._section("photos", "".join(_photo(one) for one in photos))
        yield self._section("missing", self._rows(("what", "reason"), ((one.part, one.why) for one in missing)))
        listed = ((one.name, f"{one.size:,} B", one.source, f"SHA-256 {one.sha256}") for one in parts)
        yield self._section("parts", self._rows(("what", "", "", ""), listed))
        yield self._section("verify", "<p><code>lamplighter violation verify FILE.zip --key root.pub</code></p>")
        yield f"<p style='margin-top:12mm'>{escape(self._word('signed'))}: ______________________</p>"

    def _head(self) -> Iterator[tuple[str, str]]:
        facts, violation = self._facts, self._facts["violation"]
        truck, company = facts.get("truck") or {}, facts.get("company") or {}
        yield self._word("violation"), f"{violation['id']} · {self._word('package')} {facts['package']}"
        yield self._word("class"), word(CLASSES, violation["kind"], self._language)
        yield self._word("score"), f"{violation['score']:.2f} · {self._word('rules')} {violation['rules']}"
        yield self._word("first"), self._time(violation["first_ms"])
        yield self._word("last"), self._time(violation["last_ms"])
        yield self._word("position"), _place(violation)
        yield self._word("truck"), f"{truck.get('plate', '')} · {violation['truck']} · {truck.get('device') or ''}"
        yield self._word("company"), f"{company.get('name', '')} · {violation['company']}"
        for name in ("installation", "calibration"):
            yield self._word(name), truck.get(name) or self._word("none")
        place, permit = facts.get("place") or {}, facts.get("permit") or {}
        yield self._word("place"), _versioned(place) or self._word("none")
        yield self._word("basis"), place.get("basis") or self._word("none")
        yield self._word("permit"), _versioned(permit) or self._word("none")
        offset = facts.get("clock_offset_ms")
        yield self._word("clock"), self._word("none") if offset is None else f"{offset / 1000:+.1f} s"

    def _changes(self) -> Iterator[Sequence[Any]]:
        for one in self._facts["states"]:
            yield self._time(one["time_ms"]), one["state"], one["value"]

    def _limits(self) -> Iterator[Sequence[Any]]:
        for one in self._facts["limits"]:
            yield self._time(one["created_ms"]), f"{one['what']} {one['target'] or ''}", one["state"], one["detail"]

    def _commands(self) -> Iterator[Sequence[Any]]:
        for one in self._facts["commands"]:
            said = f"{one['op']} {_text(one['args'])}"
            yield self._time(one["issued_ms"]), said, one["who"], one["state"], one["reason"]

    def _steps(self) -> Iterator[Sequence[Any]]:
        for one in self._facts["steps"]:
            state = word(STATES, one["state"], self._language)
            yield self._time(one["time_ms"]), state, one["who"], f"{one['reason']} {_text(one['detail'])}"

    def _section(self, name: str, content: str) -> str:
        return f"<h2>{escape(self._word(name))}</h2>{content or escape(self._word('none'))}"

    def _pairs(self, pairs: Iterable[tuple[str, str]]) -> str:
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in pairs)
        return f"<table>{rows}</table>" if rows else ""

    def _rows(self, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
        body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
        head = "".join(f"<th>{escape(self._word(name)) if name else ''}</th>" for name in header)
        return f"<table><tr>{head}</tr>{body}</table>" if body else ""

    def _word(self, key: str) -> str:
        return word(WORDS, key, self._language)

    def _time(self, time_ms: int | None) -> str:
        if time_ms is None:
            return self._word("going_on")
        return datetime.fromtimestamp(time_ms / 1000, self._zone).strftime("%Y-%m-%d %H:%M:%S %z")


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(its)}" for name, its in value.items())
    return "–" if value is None else str(value)


def _place(violation: Mapping[str, Any]) -> str:
    latitude, longitude = violation["latitude"], violation["longitude"]
    return "–" if latitude is None else f"{latitude:.6f}, {longitude:.6f}"


def _versioned(thing: Mapping[str, Any]) -> str:
    return f"{thing['id']} · {thing.get('name') or thing.get('kind') or ''} · v{thing['version']}" if thing else ""


def _photo(one: Entry) -> str:
    name = escape(one.name, quote=True)
    return f'<figure><img src="{name}" alt="{name}"><figcaption>{name} · {escape(one.note)}</figcaption></figure>'


def _drawing(points: Sequence[tuple[float, float]]) -> str:
    """The track as a line, north up; a circle where it begins."""
    if not points:
        return ""
    west, east = min(x for x, _ in points), max(x for x, _ in points)
    south, north = min(y for _, y in points), max(y for _, y in points)
    scale = min(WIDTH / max(east - west, 1e-6), HEIGHT / max(north - south, 1e-6))
    drawn = [((x - west) * scale, (north - y) * scale) for x, y in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
    x, y = drawn[0]
    return (
        f'<svg viewBox="-8 -8 {WIDTH + 16:g} {HEIGHT + 16:g}"><polyline points="{line}" fill="none" stroke="#b00" '
        f'stroke-width="2"/><circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#080"/></svg>'
    )
