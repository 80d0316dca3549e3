"""What stands around the figures of a report, by language. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from lamplighter_controller.maintenance.figures.columns import By
from lamplighter_controller.maintenance.figures.figuring import Figure

ZH: Final = 0
EN: Final = 1

WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "report": ("路灯维护月报", "Street lighting maintenance report"),
    "figure": ("指标", "Figure"),
    "numerator": ("分子", "Numerator"),
    "denominator": ("分母", "Denominator"),
    "value": ("结果", "Result"),
    "aim": ("目标", "Aim"),
    "proof": ("证明方式", "Proof"),
    "group": ("分组", "Group"),
    "definitions": ("指标定义", "Definitions"),
    "made": ("生成时间", "Made"),
    "through": ("数据截至", "Data through"),
    "orders": ("工单清单", "Orders"),
    "parts": ("材料消耗", "Parts used"),
    "none": ("无", "none"),
    "worst": ("最需关注的道路", "Roads to look at first"),
    By.ALL.value: ("全市", "City"),
    By.CREW.value: ("按班组", "By crew"),
    By.COMPANY.value: ("按单位", "By company"),
    By.ROAD.value: ("按道路", "By road"),
}
PROOFS: Final[Mapping[str, tuple[str, str]]] = {
    "telemetry": ("遥测", "telemetry"),
    "meter": ("电表", "meter"),
    "photo": ("照片与第二人", "photo and second person"),
    "own-power": ("单灯功率", "own power"),
    "patrol": ("巡查", "patrol"),
    "cabinet-meter": ("箱表", "cabinet meter"),
    "none": ("无证据", "nothing"),
}


def language_of(language: str) -> int:
    """Place of a language in every pair of words."""
    return ZH if language == "zh" else EN


def word(name: str, language: str) -> str:
    """One word."""
    return WORDS[name][language_of(language)]


def proof_of(figure: Figure, language: str) -> str:
    """The kinds of proof behind a figure; of lamp-time in shares."""
    place = language_of(language)
    total = sum(figure.proof.values())
    if figure.figure == "lit_rate" and total:
        shares = {kind: f"{count / total:.1%}" for kind, count in figure.proof.items()}
    else:
        shares = {kind: str(count) for kind, count in figure.proof.items()}
    return ", ".join(f"{PROOFS.get(kind, (kind, kind))[place]} {share}" for kind, share in shares.items())


def shown(figure: Figure) -> str:
    """Its result as a person reads it."""
    if figure.value is None:
        return "–"
    return f"{figure.value:.2f} {figure.unit}" if figure.unit == "%" else f"{figure.value:,.1f} {figure.unit}"


def counted(value: float) -> str:
    """A numerator or denominator as a person reads it."""
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1_000 else f"{value:,.1f}"


def local(time_ms: int, zone: str) -> str:
    """A time in the city's own zone."""
    return f"{datetime.fromtimestamp(time_ms / 1000, ZoneInfo(zone)):%Y-%m-%d %H:%M}"
