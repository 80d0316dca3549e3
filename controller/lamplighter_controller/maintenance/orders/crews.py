"""Crews, and who of them gets an order: by area, by shift, by how much they have already. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from lamplighter_controller.maintenance.orders.order import Order

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Name = Annotated[str, msgspec.Meta(max_length=120)]
Hour = Annotated[float, msgspec.Meta(ge=0, le=24)]
Areas = Annotated[tuple[Id, ...], msgspec.Meta(max_length=500)]


class Crew(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who works together. Without districts and roads it works everywhere; a shift over midnight ends before it begins.

    `members`: names in the audit trail, such as `token:li`; nobody named: everybody with the right may act for it.
    """

    id: Id
    name: Name = ""
    company: Id | None = None
    districts: Areas = ()
    roads: Areas = ()
    from_h: Hour = 0.0
    until_h: Hour = 24.0
    weekdays: Annotated[tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...], msgspec.Meta(max_length=7)] = ()
    members: Annotated[tuple[Name, ...], msgspec.Meta(max_length=200)] = ()

    def works_on(self, order: Order) -> bool:
        """Whether the order lies in its area."""
        if not self.districts and not self.roads:
            return True
        return order.district in self.districts or order.road in self.roads

    def on_shift(self, now_ms: int, zone: str) -> bool:
        """Whether it is at work; after midnight the shift is that of the day before."""
        local = dt.datetime.fromtimestamp(now_ms / 1000, ZoneInfo(zone))
        hour = local.hour + local.minute / 60
        if self.from_h < self.until_h:
            return self._works_that_day(local.date()) and self.from_h <= hour < self.until_h
        if hour >= self.from_h:
            return self._works_that_day(local.date())
        return hour < self.until_h and self._works_that_day(local.date() - dt.timedelta(days=1))

    def _works_that_day(self, day: dt.date) -> bool:
        return not self.weekdays or day.isoweekday() in self.weekdays


def chosen(order: Order, crews: Iterable[Crew], load: Mapping[str, int], now_ms: int, zone: str) -> Crew | None:
    """The crew of the area that is at work and has least to do; None when there is none. Named roads go first."""
    able = [one for one in crews if one.works_on(order) and one.on_shift(now_ms, zone)]
    return min(able, key=lambda one: (order.road not in one.roads, load.get(one.id, 0), one.id), default=None)
