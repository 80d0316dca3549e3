"""An incident as a person would tell it: what, where, since when, why, what else it could be, what to do. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from typing import Final
from zoneinfo import ZoneInfo

from lamplighter_controller.diagnosis.catalogue.faults import Fault, catalogue, wording
from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.incidents.incident import Incident, Isolation

LANGUAGES: Final = ("en", "zh")
LEAST_SHARE: Final = 0.02  # of a class that is worth a word beside the likely one

_KINDS: Final[Mapping[str, Mapping[ElementKind, str]]] = {
    "en": {
        ElementKind.CITY: "the city",
        ElementKind.TRANSFORMER: "transformer",
        ElementKind.CABINET: "supply point",
        ElementKind.PHASE: "phase",
        ElementKind.CIRCUIT: "circuit",
        ElementKind.FEEDER: "feeder",
        ElementKind.PROTECTOR: "leakage protector",
        ElementKind.POLE: "pole",
        ElementKind.LAMP: "lamp",
        ElementKind.GATEWAY: "gateway",
        ElementKind.MODEL: "model",
    },
    "zh": {
        ElementKind.CITY: "全市",
        ElementKind.TRANSFORMER: "变压器",
        ElementKind.CABINET: "配电箱",
        ElementKind.PHASE: "相",
        ElementKind.CIRCUIT: "回路",
        ElementKind.FEEDER: "馈线",
        ElementKind.PROTECTOR: "漏电保护器",
        ElementKind.POLE: "灯杆",
        ElementKind.LAMP: "灯",
        ElementKind.GATEWAY: "网关",
        ElementKind.MODEL: "型号",
    },
}
_SEVERITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("for information", "planned work", "next night", "same day", "now"),
    "zh": ("仅供参考", "计划处理", "次夜处理", "当日处理", "立即处理"),
}


@dataclass(frozen=True, slots=True)
class _Words:
    """The sentences of one language."""

    head: str
    since: str
    first: str
    because: str
    reading: str
    against: str
    within: str
    readings: str
    besides: str
    settle: str
    folded: str
    isolation: Mapping[str, str]
    urgent: str
    due: str
    do: str
    part: str
    nothing: str
    stop: str


_WORDS: Final[Mapping[str, _Words]] = {
    "en": _Words(
        head="{name}: {element}, {share} sure",
        since="Since {onset}",
        first="; first to be seen at {first}",
        because="Because:",
        reading="  - {name}: {value}",
        against=", expected {expected}",
        within=" ± {sigma}",
        readings=" ({samples} readings)",
        besides="It could also be {others}",
        settle="What would settle it: {settle}",
        folded="Folded under it: {count} elements that show nothing but this",
        isolation={
            "proposed": "Isolation of {circuits} is proposed; keep people away until it is done",
            "sent": "Isolation of {circuits} is asked for; not open until it is read back",
            "refused": "Isolation of {circuits} was refused ({text})",
            "failed": "Isolation of {circuits} failed ({text})",
            "open": "{circuits}: open, 0 A; lock and test by hand",
            "closed": "{circuits}: closed again, live",
        },
        urgent="Severity {severity} of 5, {word}",
        due="; to be mended by {due}",
        do="To do: {action}",
        part="Take along: {part}",
        nothing="nothing was measured that a person would read",
        stop=".",
    ),
    "zh": _Words(
        head="{name}：{element}，把握{share}",
        since="始于{onset}",
        first="；{first}首次可见",
        because="依据：",
        reading="  - {name}：{value}",
        against="，预期{expected}",
        within=" ± {sigma}",
        readings="（{samples}次读数）",
        besides="也可能是{others}",
        settle="可据此判定：{settle}",
        folded="已归并{count}个仅受此影响的对象",
        isolation={
            "proposed": "建议断开回路{circuits}；断开之前，请勿让人靠近",
            "sent": "已请求断开回路{circuits}；回读确认之前不视为断开",
            "refused": "断开回路{circuits}的请求被拒绝（{text}）",
            "failed": "断开回路{circuits}未成功（{text}）",
            "open": "回路{circuits}：已断开，0 A；须上锁并现场验电",
            "closed": "回路{circuits}：已重新合闸，带电",
        },
        urgent="严重程度{severity}级（共5级），{word}",
        due="；须于{due}前修复",
        do="处理：{action}",
        part="携带：{part}",
        nothing="没有可读的测量值",
        stop="。",
    ),
}


def explain(incident: Incident, language: str, zone: str) -> tuple[str, ...]:
    """The reasoning in lines of one language (`en`, `zh`), times as the clocks of `zone` show them."""
    return tuple(_lines(incident, language, ZoneInfo(zone)))


def _lines(incident: Incident, language: str, zone: ZoneInfo) -> Iterator[str]:
    words, fault = _WORDS[language], catalogue().get(incident.class_id)
    name = _name(incident.class_id, language)
    element = element_in_words(incident.element, language)
    yield words.head.format(name=name, element=element, share=f"{incident.confidence:.0%}") + words.stop
    yield _since(incident, words, zone)
    yield words.because
    yield from _reasons(incident, language, words)
    others = [one for one in incident.alternatives[1:] if one[1] >= LEAST_SHARE]
    if others:
        shown = ", ".join(f"{_name(class_id, language)} ({share:.0%})" for class_id, share in others)
        yield words.besides.format(others=shown) + words.stop
    if incident.settle:
        settle = wording().settle.get(incident.settle)
        yield words.settle.format(settle=settle.in_language(language) if settle else incident.settle) + words.stop
    if incident.members:
        yield words.folded.format(count=len(incident.members)) + words.stop
    if incident.isolation:
        yield _isolation(incident.isolation, words)
    yield _urgency(incident, language, zone)
    yield from _acts(fault, language, words)


def _since(incident: Incident, words: _Words, zone: ZoneInfo) -> str:
    said = words.since.format(onset=_time(incident.onset_ms, zone))
    if incident.first_observable_ms > incident.onset_ms:
        said += words.first.format(first=_time(incident.first_observable_ms, zone))
    return said + words.stop


def _reasons(incident: Incident, language: str, words: _Words) -> Iterator[str]:
    for line in incident.evidence:
        yield _reason(line, language, words)
    if not incident.evidence:
        yield f"  - {words.nothing}"


def _reason(line: EvidenceLine, language: str, words: _Words) -> str:
    known = wording().evidence.get(line.name)
    name = known.in_language(language) if known else line.name
    said = words.reading.format(name=name, value=_value(line.value, line.unit))
    if not isnan(line.expected):
        said += words.against.format(expected=_value(line.expected, line.unit))
        if not isnan(line.sigma) and line.sigma > 0:
            said += words.within.format(sigma=_value(line.sigma, line.unit))
    return said + (words.readings.format(samples=line.samples) if line.samples > 1 else "")


def _isolation(isolation: Isolation, words: _Words) -> str:
    said = words.isolation[isolation.state]
    return said.format(circuits=", ".join(isolation.circuits), text=isolation.text) + words.stop


def _urgency(incident: Incident, language: str, zone: ZoneInfo) -> str:
    words, word = _WORDS[language], _SEVERITIES[language][incident.severity - 1]
    said = words.urgent.format(severity=incident.severity, word=word)
    return said + (words.due.format(due=_time(incident.due_ms, zone)) if incident.due_ms else "") + words.stop


def _acts(fault: Fault | None, language: str, words: _Words) -> Iterator[str]:
    if fault is not None:
        yield words.do.format(action=fault.action.in_language(language)) + words.stop
        yield words.part.format(part=fault.part.in_language(language)) + words.stop


def element_in_words(element: Element, language: str) -> str:
    """An element as people name it."""
    kind = _KINDS[language][element.kind]
    return kind if element.kind is ElementKind.CITY else f"{kind} {element.id}"


def _name(class_id: str, language: str) -> str:
    fault = catalogue().get(class_id)
    return fault.name.in_language(language) if fault else class_id


def _value(value: float, unit: str) -> str:
    shown = f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return f"{shown} {unit}".strip()


def _time(time_ms: int, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone):%Y-%m-%d %H:%M}"
