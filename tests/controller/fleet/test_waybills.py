"""Waybills: declared by people, told by terminals, followed by loads; who drove by the card in the reader."""

import json

import pytest

from lamplighter_contract.wire.events import Event
from lamplighter_controller.events import DeviceHappened
from lamplighter_controller.fleet.live.city import Register, city_of
from lamplighter_controller.fleet.register.things import Driver
from lamplighter_controller.fleet.waybills import records
from lamplighter_controller.fleet.waybills.closure import By
from lamplighter_controller.fleet.waybills.records import Wanted
from lamplighter_controller.fleet.waybills.told import CARD_HOLDS_MS, Card, card, driving, waybill
from lamplighter_controller.fleet.waybills.waybill import Source
from lamplighter_controller.intake.store import put_events
from tests.controller.fleet.days import MORNING_MS, Day
from tests.controller.fleet.test_restart import dumped, kept, loaded, on_from
from tests.controller.fleet.town import open_town

PAPER = {"waybill": "LD-17", "plate": "鲁A00001", "site": "seven", "ground": "east"}


async def all_of(town):
    return (await kept(town, lambda ledger: records.some(ledger, Wanted(0, 2**52), 0, 99)))[0]


def told(event, detail, time_ms=MORNING_MS):
    return DeviceHappened("gw", "t-1", event, detail, time_ms)


@pytest.mark.parametrize("content", [json.dumps(PAPER), "LD-17;seven;east", "", "[1, 2]", '{"waybill": 5}', "{"])
def test_whatever_a_terminal_tells_of_a_load_is_kept_as_it_is(content):
    found = waybill("truck-1", 5, {"waybill": content})
    assert (found.content, found.time_ms) == (content, 5)
    assert found.number == ("LD-17" if content.startswith('{"waybill": "') else "")


@pytest.mark.parametrize(
    ("found", "later_ms", "expected"),
    [
        (Card("truck-1", 0, inserted=True, result=0, name="李师傅", licence="L-1"), 1, ("li", "李师傅 L-1")),
        (Card("truck-1", 0, inserted=True, result=0, name="", licence="L-2"), 1, (None, "L-2")),
        (Card("truck-1", 0, inserted=True, result=1), 1, (None, "")),
        (Card("truck-1", 0, inserted=False, result=0, licence="L-1"), 1, (None, "")),
        (Card("truck-1", 0, inserted=True, result=0, licence="L-1"), CARD_HOLDS_MS + 1, (None, "")),
        (None, 1, (None, "")),
    ],
)
def test_who_drives_is_known_by_a_card_that_is_in_and_could_be_read(found, later_ms, expected):
    city = city_of(Register(drivers={"li": Driver("li", "李师傅", "red", "L-1")}), (), None)
    drives = driving(found, later_ms, city)
    assert (drives.driver, drives.told) == expected


def test_a_card_as_the_wire_has_it():
    detail = {"card": 1, "time": "2026-11-20T10:00:00+08:00", "result": 0, "name": "李师傅", "licence": "L-1"}
    assert card("truck-1", 5, detail) == Card("truck-1", 5, inserted=True, result=0, name="李师傅", licence="L-1")
    assert card("truck-1", 5, {"card": 2}) == Card("truck-1", 5, inserted=False)


async def test_a_waybill_told_at_the_site_is_the_one_that_closes_with_who_drove(tmp_path):
    async with open_town(tmp_path) as town:
        day = loaded()
        town.events.publish(told("truck.driver_card", {"card": 1, "result": 0, "name": "李师傅", "licence": "L-1"}))
        town.fleet.waybills.happened(told("truck.driver_card", {"card": 1, "result": 0, "licence": "L-1"}))
        town.fleet.waybills.happened(told("truck.waybill", {"waybill": json.dumps(PAPER)}, day.time_ms))
        await town.live(day)
        await town.live(dumped(on_from(day).drive(10_000, 0, 50.0)))
        [one] = await all_of(town)
        [by_site] = await kept(town, lambda ledger: records.closure(ledger, 0, 2**52, By.SITE))
    assert (one.source, one.number, one.permit, one.closed_by) == (Source.TERMINAL, "LD-17", "p-1", "rule:fleet")
    assert (one.site, one.ground, one.driver_told) == ("seven", "east", "L-1")
    assert (by_site.name, by_site.waybills, by_site.closed, by_site.seen) == ("seven", 1, 1, 1)


async def test_a_waybill_told_on_the_way_is_added_to_the_one_that_the_load_has(tmp_path):
    async with open_town(tmp_path) as town:
        day = loaded().drive(3_000, 0, 50.0)
        await town.live(day)
        town.fleet.waybills.happened(told("truck.waybill", {"waybill": "no JSON"}, day.time_ms))
        town.fleet.waybills.happened(told("truck.lamp", {"waybill": "another event"}, day.time_ms))
        await town.fleet.step()
        [one] = await all_of(town)
    assert (one.source, one.content, one.number) == (Source.RULE, "no JSON", "")


async def test_a_stranger_and_another_load_days_later(tmp_path):
    async with open_town(tmp_path) as town:
        await town.live(Day(truck=1).stand(30))
        town.fleet.waybills.happened(DeviceHappened("gw", "nobody", "truck.waybill", {"waybill": "x"}, MORNING_MS))
        for hours in (0, 5):
            paper = {"waybill": json.dumps({**PAPER, "waybill": f"LD-{hours}"})}
            town.fleet.waybills.happened(told("truck.waybill", paper, MORNING_MS + hours * 3_600_000))
        await town.fleet.step()
        found = await all_of(town)
    assert [one.number for one in found] == ["LD-5", "LD-0"]


async def test_what_was_told_before_a_restart_is_taken_up_once(tmp_path):
    async with open_town(tmp_path) as town:
        await town.live(Day(truck=1).stand(30))
        await town.fleet.keep()
        paper = Event("e-1", town.clock.civil_ms(), "truck.waybill", "t-1", {"waybill": "words without a number"})
        await town.fleet.violations.ledger.write(lambda ledger: put_events(ledger, [("gw", paper)]))
        now_ms = town.clock.civil_ms() + 60_000
    for _ in range(2):
        async with open_town(tmp_path, now_ms=now_ms) as town:
            await town.fleet.step()
            [one] = await all_of(town)
            assert (one.source, one.content) == (Source.TERMINAL, "words without a number")
