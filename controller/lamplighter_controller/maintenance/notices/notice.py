"""What is told, to whom and when: channels, quiet hours, escalation, retries. Pure."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from lamplighter_controller.maintenance.orders.order import Order, State

DANGER: Final = 5
MOST_TRIES: Final = 12
FIRST_RETRY_S: Final = 10.0
LONGEST_RETRY_S: Final = 3_600.0
MOST_LEVEL: Final = 5
_DAY_H: Final = 24.0


class Way(StrEnum):
    """How a channel reaches people."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    SMS = "sms"  # by a gateway that takes HTTP
    VOICE = "voice"


PERSON_SAFETY_ONLY: Final = frozenset({Way.SMS, Way.VOICE})


class Channel(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to tell somebody.

    Args:
        url: where it is sent; of mail `smtp://host:port`.
        secret: signs what is sent; of mail the password.
        to: numbers or addresses, of mail and gateways.
        crew: only what its orders are about; empty: all.
        least_priority: nothing less urgent is told.
        level: told from this escalation on: 0 when an order begins, 1 when nobody took it in time, ...
        quiet_from_h, quiet_until_h: local hours in which only danger is told; equal = none.
    """

    id: str
    way: Way
    url: str
    secret: str = ""
    user: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    crew: str = ""
    least_priority: int = 3
    level: int = 0
    quiet_from_h: float = 0.0
    quiet_until_h: float = 0.0

    def is_quiet(self, now_ms: int, zone: str) -> bool:
        """Whether it is one of its quiet hours."""
        local = dt.datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone))
        since_h = (local.hour + local.minute / 60 - self.quiet_from_h) % _DAY_H
        return since_h < (self.quiet_until_h - self.quiet_from_h) % _DAY_H

    def takes(self, notice: "Notice") -> bool:
        """Whether it is told of this at all."""
        if self.way in PERSON_SAFETY_ONLY and notice.priority < DANGER:
            return False
        fits = not self.crew or self.crew == notice.crew
        return fits and notice.priority >= self.least_priority and notice.level >= self.level


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to be told; its id names it for good, so that nobody hears of it twice."""

    id: str
    event: str  # opened, untaken, returned, lock-overdue
    order: str
    element: str
    class_id: str
    priority: int
    crew: str
    level: int
    at_ms: int
    zh: str
    en: str


class Letter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A notice on its way through a channel; times real epoch ms."""

    notice: Notice
    channel: str
    due_ms: int
    tries: int = 0
    sent_ms: int = 0
    error: str = ""

    @property
    def is_given_up(self) -> bool:
        """It has been tried for long enough."""
        return not self.sent_ms and self.tries >= MOST_TRIES


def notices(orders: Iterable[Order], escalate_ms: int, now_ms: int) -> Iterator[Notice]:
    """Everything that orders as they stand now give to tell; what was told already has the same id."""
    for order in orders:
        if order.state in {State.NEW, State.ASSIGNED} and not order.accepted_ms:
            wait_ms = escalate_ms // 5 if order.priority >= DANGER else escalate_ms
            level = min(max(now_ms - order.changed_ms, 0) // wait_ms, MOST_LEVEL)
            yield _notice(order, "opened", f"{order.returned}", 0)
            for step in range(1, level + 1):
                yield _notice(order, "untaken", f"{order.returned}/{step}", step)
        elif order.state is State.RETURNED:
            yield _notice(order, "returned", f"{order.returned}", 0)


def put_off_ms(channel: Channel, notice: Notice, now_ms: int, zone: str) -> int:
    """How long it has to wait for the end of the channel's quiet hours, civil ms; danger never waits."""
    if notice.priority >= DANGER or not channel.is_quiet(now_ms, zone):
        return 0
    local = dt.datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone))
    hour = local.hour + local.minute / 60 + local.second / 3600
    return round((channel.quiet_until_h - hour) % _DAY_H * 3_600_000)


def tried(letter: Letter, error: str, now_ms: int) -> Letter:
    """The letter after a try: sent, or to be tried again later and later."""
    tries = letter.tries + 1
    if not error:
        return msgspec.structs.replace(letter, tries=tries, sent_ms=now_ms, error="")
    pause_s = min(FIRST_RETRY_S * 2 ** (tries - 1), LONGEST_RETRY_S)
    due_ms = now_ms + round(pause_s * 1000)
    return msgspec.structs.replace(letter, tries=tries, due_ms=due_ms, error=error[:300])


_ZH: Final[Mapping[str, str]] = {"opened": "新工单", "untaken": "工单无人接单", "returned": "修复无效，退回"}
_EN: Final[Mapping[str, str]] = {
    "opened": "new order",
    "untaken": "nobody has taken",
    "returned": "the repair has not helped",
}


def _notice(order: Order, event: str, mark: str, level: int) -> Notice:
    where = " · ".join(one for one in (order.road, order.element) if one)
    return Notice(
        id=f"{order.id}/{event}/{mark}",
        event=event,
        order=order.id,
        element=order.element,
        class_id=order.class_id,
        priority=order.priority,
        crew=order.crew,
        level=level,
        at_ms=order.changed_ms,
        zh=f"{_ZH[event]} {order.id}：{order.class_id}，{where}，优先级 {order.priority}",
        en=f"{_EN[event]}: {order.id}, {order.class_id}, {where}, priority {order.priority}",
    )
