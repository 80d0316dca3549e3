"""A probe for a person and for a program. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from lamplighter_gateway.commissioning.language import Language, units_text
from lamplighter_gateway.commissioning.probe.attempts import Attempt, Observed, units
from lamplighter_gateway.commissioning.probe.verdict import Fault, Finding
from lamplighter_gateway.commissioning.probe.words import advice
from lamplighter_gateway.commissioning.scan.signatures import Contradiction
from lamplighter_gateway.commissioning.wire.frames import Kind
from lamplighter_gateway.commissioning.wire.port import Setting

_SHOWN_BYTES: Final = 24
_KINDS: Final[Mapping[Language, Mapping[Kind, str]]] = {
    Language.EN: {
        Kind.GOOD: "good answers",
        Kind.REFUSED: "exceptions",
        Kind.SILENT: "silent",
        Kind.ECHO: "echo only",
        Kind.GARBLED: "garbled",
        Kind.LEVELS: "only 00/FF",
        Kind.FOREIGN: "of another unit",
        Kind.CLOSED: "hung up",
    },
    Language.ZH: {
        Kind.GOOD: "应答正确",
        Kind.REFUSED: "异常应答",
        Kind.SILENT: "无应答",
        Kind.ECHO: "只有回波",
        Kind.GARBLED: "乱码",
        Kind.LEVELS: "只有 00/FF",
        Kind.FOREIGN: "其他从站",
        Kind.CLOSED: "连接被断开",
    },
}
_SEEN: Final = {Language.EN: "What was seen", Language.ZH: "测试记录"}
_UNASKED: Final = {Language.EN: "{n} bytes came unasked: {hex}", Language.ZH: "未询问时收到 {n} 字节：{hex}"}
_LIKE: Final = {Language.EN: "for example unit {unit}: {hex}", Language.ZH: "例如从站 {unit}：{hex}"}
_SETTINGS: Final = {Language.EN: "{n} settings, {first} to {last}:", Language.ZH: "{n} 种参数，{first} 至 {last}："}
_CUT: Final = {
    Language.EN: "The time was over before everything was asked; more with --seconds.",
    Language.ZH: "时间已到，未全部询问；可用 --seconds 延长。",
}
_NOT_POSSIBLE: Final = {Language.EN: "not possible on this port", Language.ZH: "此串口不支持"}


def lines(
    seen: Observed, findings: Sequence[Finding], contradictions: Sequence[Contradiction], language: Language
) -> Iterator[str]:
    """Verdict, fix and evidence, in this order."""
    for number, finding in enumerate(findings):
        told = advice(finding, language)
        yield ("" if number else f"{seen.name}: ") + told.title
        yield from (f"  {step}. {text}" for step, text in enumerate(told.steps, start=1))
        if finding.fault is Fault.REGISTER_MAP:
            yield from (f"     {one.text(language)}" for one in contradictions)
        if "detail" in finding.facts:
            yield f"  ({finding.facts['detail']})"
    yield f"{_SEEN[language]}:"
    yield from _evidence(seen, language)


def _evidence(seen: Observed, language: Language) -> Iterator[str]:
    if seen.unasked:
        yield "  " + _UNASKED[language].format(n=len(seen.unasked), hex=_hex(seen.unasked))
    for (told, asked, example), settings in groupby(seen.settings, lambda one: _told(seen.at(one), language)):
        names = [str(setting or seen.name) for setting in settings]
        title = (
            names[0] if len(names) == 1 else _SETTINGS[language].format(n=len(names), first=names[0], last=names[-1])
        )
        yield f"  {title:<12} {asked:<20} {told}"
        if example:
            yield f"    {example}"
    if seen.unsupported:
        yield f"  {', '.join(map(str, seen.unsupported))}: {_NOT_POSSIBLE[language]}"
    if seen.cut:
        yield f"  {_CUT[language]}"


def _told(attempts: Sequence[Attempt], language: Language) -> tuple[str, str, str]:
    """What was heard at one setting, of whom, and one strange answer as it came."""
    kinds = {kind: [a for a in attempts if a.said.kind is kind] for kind in Kind}
    told = ", ".join(f"{_KINDS[language][kind]} {len(its)}" for kind, its in kinds.items() if its)
    strange = [*kinds[Kind.GARBLED], *kinds[Kind.LEVELS], *kinds[Kind.FOREIGN]]
    example = _LIKE[language].format(unit=strange[0].unit, hex=_hex(strange[0].heard)) if strange else ""
    return told, units_text(tuple(units(attempts))), example


def document(
    seen: Observed, findings: Sequence[Finding], contradictions: Sequence[Contradiction], language: Language
) -> dict[str, Any]:
    """The same as JSON says it."""
    return {
        "line": seen.name,
        "configured": _setting(seen.configured),
        "findings": [_finding(finding, language) for finding in findings],
        "register_map": [one.as_json() for one in contradictions],
        "unasked": seen.unasked.hex(),
        "unsupported": [str(setting) for setting in seen.unsupported],
        "cut": seen.cut,
        "attempts": [_attempt(attempt) for attempt in seen.attempts],
    }


def _finding(finding: Finding, language: Language) -> dict[str, Any]:
    told = advice(finding, language)
    return {
        "fault": finding.fault.value,
        "title": told.title,
        "steps": list(told.steps),
        "units": list(finding.units),
        "setting": _setting(finding.setting),
        "timeout_s": finding.timeout_s,
        "facts": finding.facts,
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "setting": _setting(attempt.setting),
        "unit": attempt.unit,
        "answer": attempt.said.kind.value,
        "code": attempt.said.code,
        "heard": attempt.heard[:_SHOWN_BYTES].hex(),
        "after_ms": None if attempt.after_s is None else round(1000 * attempt.after_s, 1),
    }


def _setting(setting: Setting | None) -> str | None:
    return None if setting is None else str(setting)


def _hex(data: bytes) -> str:
    return data[:_SHOWN_BYTES].hex(" ") + (" …" if len(data) > _SHOWN_BYTES else "")
