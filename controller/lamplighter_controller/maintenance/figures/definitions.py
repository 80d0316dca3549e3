"""The figures: what each divides by what, which month an order counts in, and the aim. Pure.

Every figure is a numerator over a denominator, so that months and groups can be added up, and each has its list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.maintenance.figures.columns import Flags, Orders, Times

Floats = NDArray[np.float64]

RECURS_MS: Final = 30 * 24 * 3_600_000
MINUTE_MS: Final = 60_000


@dataclass(frozen=True)
class Counted:
    """Who counts, and with what.

    Args:
        at_ms: (n,) the time that decides the month.
        denominator: (n,) who is in the denominator.
        numerator: (n,) what each of those adds to the numerator.
    """

    at_ms: Times
    denominator: Flags
    numerator: Floats


Words = tuple[str, str]  # zh, en


@dataclass(frozen=True)
class Definition:
    """A figure, in words and as columns; `aim` in its unit, None where there is none."""

    name: str
    title: Words
    numerator: Words
    denominator: Words
    unit: str
    counted: Callable[[Orders], Counted]
    aim: tuple[str, float] | None = None


def _timely(orders: Orders) -> Counted:
    due_ms, done_ms = orders.time("due_ms"), orders.time("done_ms")
    standing = (orders.time("paused_since_ms") > 0) & (done_ms == 0)
    counts = (due_ms > 0) & ~orders.no_repair & ~standing
    return Counted(due_ms, counts, ((done_ms > 0) & (done_ms <= due_ms)).astype(np.float64))


def _closed(orders: Orders) -> Counted:
    closed = (orders.time("closed_ms") > 0) & orders.is_word("outcome", ["proved"])
    return Counted(orders.time("created_ms"), ~orders.no_repair, closed.astype(np.float64))


def _recurred(orders: Orders) -> Counted:
    created_ms, proved_ms = orders.time("created_ms"), orders.time("proved_ms")
    element = orders.codes["element"].astype(np.int64)
    order = np.lexsort((created_ms, element))
    last_ms = np.zeros(len(order), np.int64)
    best = 0
    previous = -1
    for row in order.tolist():
        best = best if element[row] == previous else 0
        last_ms[row] = best
        best, previous = max(best, int(proved_ms[row])), int(element[row])
    again = (last_ms > 0) & (created_ms - last_ms <= RECURS_MS)
    return Counted(created_ms, ~orders.no_repair, again.astype(np.float64))


def _to_detect(orders: Orders) -> Counted:
    detected_ms, onset_ms = orders.time("detected_ms"), orders.time("onset_ms")
    return Counted(detected_ms, ~orders.no_repair & (onset_ms > 0), (detected_ms - onset_ms) / MINUTE_MS)


def _to_arrive(orders: Orders) -> Counted:
    arrived_ms = orders.time("arrived_ms")
    return Counted(
        arrived_ms, ~orders.no_repair & (arrived_ms > 0), (arrived_ms - orders.time("created_ms")) / MINUTE_MS
    )


def _to_repair(orders: Orders) -> Counted:
    done_ms = orders.time("done_ms")
    worked_ms = done_ms - orders.time("created_ms") - orders.time("paused_ms")
    return Counted(done_ms, ~orders.no_repair & (done_ms > 0), worked_ms / MINUTE_MS)


ORDER_FIGURES: Final[Mapping[str, Definition]] = {
    one.name: one
    for one in (
        Definition(
            "timely_repair",
            ("维修及时率", "Timely-repair rate"),
            ("在到期前完成的工单（暂停时间已扣除）", "orders done before they were due, pauses taken out"),
            (
                "本月到期、属于本单位的工单；正在暂停的不计",
                "orders due in the month that are ours; those whose clock stands are left out",
            ),
            "%",
            _timely,
            (">=", 100.0),
        ),
        Definition(
            "closing",
            ("处结率", "Closing rate"),
            ("其中已验证并结案的工单", "of these, orders that were proved and closed"),
            ("本月受理、属于本单位的工单", "orders taken in the month that are ours"),
            "%",
            _closed,
            (">=", 99.8),
        ),
        Definition(
            "recurrence",
            ("复发率", "Recurrence"),
            (
                "其中同一设施30天内曾修复并验证的工单",
                "of these, orders on an element whose repair was proved in the 30 days before",
            ),
            ("本月受理、属于本单位的工单", "orders taken in the month that are ours"),
            "%",
            _recurred,
        ),
        Definition(
            "detect",
            ("平均发现时间", "Mean time to detect"),
            ("从首次可观测到发现的分钟数之和", "minutes from the first observable sign until it was known, added up"),
            ("本月发现、起始时间已知的工单", "orders detected in the month whose onset is known"),
            "min",
            _to_detect,
        ),
        Definition(
            "arrive",
            ("平均到场时间", "Mean time to arrive"),
            ("从受理到首次到场的分钟数之和", "minutes from the order to the first arrival, added up"),
            ("本月首次到场的工单", "orders with their first arrival in the month"),
            "min",
            _to_arrive,
        ),
        Definition(
            "repair",
            ("平均修复时间", "Mean time to repair"),
            (
                "从受理到完成的分钟数之和（暂停时间已扣除）",
                "minutes from the order until it was done without pauses, added up",
            ),
            ("本月完成的工单", "orders done in the month"),
            "min",
            _to_repair,
        ),
    )
}
LIT_RATE: Final = "lit_rate"
LIT_TITLE: Final[Words] = ("亮灯率", "Lit rate")
LIT_NUMERATOR: Final[Words] = ("已证明点亮的灯·分钟", "lamp-minutes proven lit")
LIT_DENOMINATOR: Final[Words] = (
    "按计划应亮且有证据的灯·分钟；无证据的另列",
    "lamp-minutes due by plan that are proven lit or dark; what nothing proves is told apart",
)
LIT_AIM: Final = (">=", 98.0)
