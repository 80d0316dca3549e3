"""The report of one month: every figure with its definition, and the orders behind them. Pure."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec

from lamplighter_controller.maintenance.figures.columns import By
from lamplighter_controller.maintenance.figures.definitions import (
    LIT_AIM,
    LIT_DENOMINATOR,
    LIT_NUMERATOR,
    LIT_RATE,
    LIT_TITLE,
    ORDER_FIGURES,
    Words,
)
from lamplighter_controller.maintenance.figures.figuring import Figure
from lamplighter_controller.maintenance.orders.order import Order

LANGUAGES = ("zh", "en")


class Told(msgspec.Struct, frozen=True):
    """How a figure is defined, by language (zh, en); `aim` as a person reads it."""

    figure: str
    title: Words
    numerator: Words
    denominator: Words
    unit: str
    aim: str = ""


class Used(msgspec.Struct, frozen=True):
    """How much of a part was put in."""

    part: str
    name: str
    unit: str
    quantity: float


class Report(msgspec.Struct, frozen=True):
    """One month; `made_ms` and `through_ms` civil: what had happened until then is in it."""

    month: str
    city: tuple[str, str]
    zone: str
    made_ms: int
    through_ms: int
    figures: tuple[Figure, ...]
    orders: tuple[Order, ...]
    used: tuple[Used, ...] = ()

    def of(self, by: By) -> list[Figure]:
        """The figures of one grouping."""
        return [one for one in self.figures if one.by == by.value]


def definitions() -> tuple[Told, ...]:
    """Every figure in words, the lit rate first."""
    lit = Told(LIT_RATE, LIT_TITLE, LIT_NUMERATOR, LIT_DENOMINATOR, "%", _aim(LIT_AIM, "%"))
    others = (
        Told(one.name, one.title, one.numerator, one.denominator, one.unit, _aim(one.aim, one.unit))
        for one in ORDER_FIGURES.values()
    )
    return (lit, *others)


def days_of(month: str) -> tuple[date, date]:
    """The first and the last day of a month such as 2026-11."""
    first = date.fromisoformat(f"{month}-01")
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)


def month_before(day: date) -> str:
    """The month before the one a day is in."""
    return f"{day.replace(day=1) - timedelta(days=1):%Y-%m}"


def rows(report: Report) -> list[dict[str, object]]:
    """Every figure as a flat row, for tables and spreadsheets."""
    told = {one.figure: one for one in definitions()}
    return [
        {
            "month": one.month,
            "by": one.by,
            "key": one.key,
            "figure": one.figure,
            "numerator": _number(one.numerator),
            "denominator": _number(one.denominator),
            "value": "" if one.value is None else _number(one.value),
            "unit": one.unit,
            "proof": "; ".join(f"{kind} {count}" for kind, count in one.proof.items()),
            "title_zh": told[one.figure].title[0],
            "title_en": told[one.figure].title[1],
            "numerator_is": told[one.figure].numerator[1],
            "denominator_is": told[one.figure].denominator[1],
            "aim": told[one.figure].aim,
        }
        for one in report.figures
    ]


def order_rows(orders: Iterable[Order]) -> list[dict[str, object]]:
    """Orders as flat rows."""
    return [{name: _plain(value) for name, value in msgspec.structs.asdict(one).items()} for one in orders]


def lowest(figures: Sequence[Figure], figure: str, most: int) -> list[Figure]:
    """The groups that fare worst in a figure; at most so many."""
    mine = [one for one in figures if one.figure == figure and one.value is not None]
    high_is_good = figure in {LIT_RATE, "timely_repair", "closing"}
    return sorted(mine, key=lambda one: (one.value or 0.0) if high_is_good else -(one.value or 0.0))[:most]


def _aim(aim: tuple[str, float] | None, unit: str) -> str:
    return f"{'≥' if aim[0] == '>=' else '≤'} {aim[1]:g} {unit}" if aim else ""


def _number(value: float) -> float | int:
    return int(value) if float(value).is_integer() else round(value, 4)


def _plain(value: object) -> object:
    return "" if value is None else value
