"""What intake and twin keep in the ledger, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from lamplighter_contract.errors import Reason
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry, GatewayState
from lamplighter_contract.wire.events import Event
from lamplighter_controller.intake import letters, store
from lamplighter_controller.intake.placing import Letter
from lamplighter_controller.ledger.engine import Ledger, open_ledger
from lamplighter_controller.ledger.errors import LedgerRejected
from lamplighter_controller.twin import store as twin_store

NOW_MS = 1_763_650_000_000


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.system)])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ledger]:
    url = f"sqlite:///{tmp_path}/l.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    opened = await open_ledger(url)
    yield opened
    await opened.close()


async def test_the_epoch_rises_at_each_start_whatever_the_clock_says(ledger: Ledger) -> None:
    assert not await ledger.read(store.has_started)
    epochs = [await ledger.write(partial(store.begin_epoch, wall_ms=now)) for now in (NOW_MS, 5, NOW_MS + 9)]
    assert epochs == [NOW_MS, NOW_MS + 1, NOW_MS + 9]
    assert await ledger.read(store.has_started)


async def test_a_hold_survives_starts_until_it_is_released(ledger: Ledger) -> None:
    await ledger.write(lambda c: store.set_held(c, held=True))
    await ledger.write(lambda c: store.begin_epoch(c, NOW_MS))
    assert await ledger.read(store.is_held)
    await ledger.write(lambda c: store.set_held(c, held=False))
    assert not await ledger.read(store.is_held)
    assert await ledger.write(lambda c: store.begin_epoch(c, 1)) == NOW_MS + 1


async def test_events_are_kept_once_newest_first_and_retired_oldest_first(ledger: Ledger) -> None:
    events = [("gw-1", Event(f"e-{n}", NOW_MS + n, "door", "cab-1", {"open": True})) for n in range(5)]
    await ledger.write(lambda c: store.put_events(c, events))
    await ledger.write(lambda c: store.put_events(c, [*events[:1], ("gw-2", events[0][1])]))
    found = await ledger.read(store.newest_events)
    assert [(item.gateway, item.event.id) for item in found] == [("gw-2", "e-0")] + [
        ("gw-1", f"e-{n}") for n in (4, 3, 2, 1, 0)
    ]
    page = await ledger.read(lambda c: store.newest_events(c, gateway="gw-1", before=found[2].number, limit=2))
    assert [item.event.id for item in page] == ["e-2", "e-1"]
    await ledger.write(lambda c: store.retire_events(c, keep=1))
    assert [item.gateway for item in await ledger.read(store.newest_events)] == ["gw-2"]


async def test_letters_alarms_and_reports_come_back_as_they_were_written(ledger: Ledger) -> None:
    letter = Letter("gw-1", Reason.MALFORMED, "no object", b"\x00\xff", NOW_MS)
    for _ in range(2):
        await ledger.write(lambda c: letters.keep(c, [letter]))
    (kept,) = await ledger.read(letters.newest)
    assert kept.letter == letter
    assert await ledger.read(lambda c: letters.by_id(c, [kept.id, kept.id + 1])) == [kept]
    await ledger.write(lambda c: letters.remove(c, [kept.id]))
    assert await ledger.read(letters.tally) == letters.Tally(0, 0, 0)

    alarm = store.Alarm("series", "hangs", NOW_MS, None)
    await ledger.write(lambda c: store.put_alarm(c, alarm))
    assert await ledger.read(store.active_alarms) == [alarm]
    await ledger.write(lambda c: store.put_alarm(c, store.Alarm("series", "hangs", NOW_MS, NOW_MS + 1)))
    assert await ledger.read(store.active_alarms) == []
    assert [past.cleared_ms for past in await ledger.read(lambda c: store.past_alarms(c, 10))] == [NOW_MS + 1]

    report = store.Report("gw-1", GatewayState("boot-a", online=True, highest_seq=7), None, NOW_MS)
    for _ in range(2):
        await ledger.write(lambda c: store.put_report(c, report))
    assert await ledger.read(store.reports) == [report]


async def test_devices_are_replaced_gateway_by_gateway(ledger: Ledger) -> None:
    def entry(name: str) -> DeviceEntry:
        return DeviceEntry(name, Kind.LAMP, "lamp-single", "bus:1", name={"zh": "一号灯"})

    await ledger.write(lambda c: twin_store.adopt(c, "gw-1", [entry("a"), entry("b")], NOW_MS))
    await ledger.write(lambda c: twin_store.adopt(c, "gw-2", [entry("b"), entry("c")], NOW_MS))
    assert await ledger.read(twin_store.every) == {"gw-1": [entry("a")], "gw-2": [entry("b"), entry("c")]}


async def test_any_text_quoted_in_a_letter_or_an_alarm_can_be_stored(ledger: Ledger) -> None:
    letter = Letter("gw-1", Reason.MALFORMED, "v is a\0b", b"{}", NOW_MS)
    await ledger.write(lambda c: letters.keep(c, [letter]))
    await ledger.write(lambda c: store.put_alarm(c, store.Alarm("refused", "v is a\0b", NOW_MS, None)))
    (kept,) = await ledger.read(letters.newest)
    (alarm,) = await ledger.read(store.active_alarms)
    assert kept.letter.detail == alarm.text == "v is a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("event", [Event("e-1", 2**63, "door"), Event("e-1", NOW_MS, "do\ud800or")])
async def test_data_no_database_can_hold_are_rejected_and_not_called_unavailable(ledger: Ledger, event: Event) -> None:
    with pytest.raises(LedgerRejected):
        await ledger.write(lambda c: store.put_events(c, [("gw-1", event)]))
    assert await ledger.read(store.newest_events) == []


async def test_what_an_earlier_version_took_and_this_one_refuses_stops_no_start(ledger: Ledger) -> None:
    beyond = GatewayState("boot-a", online=True, highest_seq=2**53)
    entry, old = (DeviceEntry(name, Kind.LAMP, profile, "bus:1") for name, profile in (("a", "p"), ("b", "p\0")))
    await ledger.write(lambda c: store.put_report(c, store.Report("gw-1", beyond, None, NOW_MS)))
    await ledger.write(lambda c: store.put_events(c, [("gw-1", Event("e-1", NOW_MS, "door", count=2**60))]))
    await ledger.write(lambda c: twin_store.adopt(c, "gw-1", [entry, old], NOW_MS))
    assert await ledger.read(store.reports) == [store.Report("gw-1", None, None, NOW_MS)]
    assert await ledger.read(store.newest_events) == []
    assert await ledger.read(twin_store.every) == {"gw-1": [entry]}
