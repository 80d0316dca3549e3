"""What is kept of nights, in both databases: a later pass replaces an earlier one, whole."""

from datetime import date, timedelta

from lamplighter_controller.lighting.proof import records, store
from lamplighter_controller.lighting.proof.burning import Burning, Source
from lamplighter_controller.lighting.proof.light.evidence import Sighting
from lamplighter_controller.lighting.proof.light.listing import LampNight
from lamplighter_controller.lighting.proof.light.tally import By, Proof, Tally
from lamplighter_controller.lighting.proof.plans import documents
from lamplighter_controller.lighting.proof.power.energy import Baseline, CabinetNight
from lamplighter_controller.lighting.proof.power.tariff import Hours, Tariff, Used
from tests.controller.lighting.proof.city import END_MS, NOON_MS, at

NIGHT = date(2025, 11, 20)


def night(day=NIGHT, passes=1):
    return store.Night(day, NOON_MS, END_MS, END_MS, 5, passes, due=False)


def lamp(name, dark_ms, unknown_ms=0.0):
    return LampNight(
        name, None, "oak", "main", "east", "cab-1", Proof.OWN_POWER, at(8), 100.0, 0.0, dark_ms, unknown_ms
    )


async def test_nights_newest_first_and_those_that_are_due(ledger):
    for number in range(3):
        await ledger.write(
            lambda connection, day=NIGHT - timedelta(days=number): store.put_night(connection, night(day))
        )
    await ledger.write(lambda connection: store.put_night(connection, night(passes=2)))
    await ledger.write(lambda connection: store.now_due(connection, [NIGHT, NIGHT + timedelta(days=9)]))
    found = await ledger.read(lambda connection: store.nights(connection, 2))
    assert [(one.day.day, one.passes, one.due) for one in found] == [(20, 2, True), (19, 1, False)]
    older = await ledger.read(lambda connection: store.nights(connection, 5, "2025-11-19"))
    assert [one.day.day for one in older] == [18]
    assert await ledger.read(lambda connection: store.night(connection, date(2025, 1, 1))) is None


async def test_a_later_pass_takes_the_place_of_an_earlier_one(ledger):
    used = (Used("2025-11-20", "谷", 10.5),)
    cabinet = CabinetNight("cab-1", "a-1", "street", 4, 0, 10.5, 0, used, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0)
    unread = CabinetNight("cab-2", "", "", 4, 0, None, 99, (), 9.0, 8.0, 7.0, 6.0, 5.0, 4.0)
    one = Tally("oak", 4, 400.0, 300.0, 90.0, 10.0, 390.0, 0.0, 0.0, 1, 0)

    def work(connection, lamps):
        store.put_tallies(connection, NIGHT, {By.ROAD: [one]})
        store.put_lamps(connection, NIGHT, lamps)
        store.put_energy(connection, NIGHT, [cabinet, unread])

    await ledger.write(lambda connection: work(connection, [lamp("l-9", 1.0)]))
    await ledger.write(
        lambda connection: work(connection, [lamp("l-1", 30.0), lamp("l-2", 60.0), lamp("l-3", 0.0, 70.0)])
    )
    assert await ledger.read(lambda connection: store.tallies(connection, NIGHT, By.ROAD)) == [one]
    found, total = await ledger.read(lambda connection: store.lamps(connection, NIGHT, {}, None, 0, 2))
    assert ([each.lamp for each in found], total) == (["l-3", "l-2"], 3)
    dark, _ = await ledger.read(lambda connection: store.lamps(connection, NIGHT, {"road": "oak"}, "dark_ms", 0, 9))
    assert dark == [lamp("l-2", 60.0), lamp("l-1", 30.0)]
    assert await ledger.read(lambda connection: store.energy(connection, NIGHT, NIGHT)) == [cabinet, unread]
    assert await ledger.read(lambda connection: store.energy(connection, date(2025, 1, 1), date(2025, 1, 2))) == []


async def test_old_lists_go_and_their_figures_stay(ledger):
    old = NIGHT - timedelta(days=200)

    def work(connection):
        store.put_night(connection, night(old))
        store.put_lamps(connection, old, [lamp("l-1", 1.0)])
        records.put_burned(connection, old, {"l-1": (1.0, 1)})
        store.retire(connection, NIGHT, NIGHT)
        return store.lamps(connection, old, {}, None, 0, 9)[1], records.burned(connection, old, ["l-1"])

    assert await ledger.write(work) == (0, {})
    assert await ledger.read(lambda connection: store.night(connection, old)) == night(old)


async def test_hours_sightings_and_what_people_have_set(ledger):
    many = [
        Burning(f"l-{number:04}", f"lamp-{number}", Source.COUNTER, 1, 1, 2.0, None, 3.0, 4.0)
        for number in range(1_200)
    ]
    tariff = Tariff("street", "2025-01-01", "CNY", {"平": 0.6}, (Hours("平", "00:00", "24:00"),))
    baseline = Baseline("HPS", "2025-06-01", former_w={"led": 250.0})

    def work(connection):
        for _ in range(2):
            records.put_burning(connection, many)
            records.put_sightings(
                connection, [Sighting("l-1", at(8), lit=False), Sighting("l-1", at(8), lit=True)], "wang"
            )
            records.put_setting(connection, tariff, "wang", 1)
            records.put_setting(connection, baseline, "wang", 1)

    await ledger.write(work)
    found, total = await ledger.read(lambda connection: records.burning_page(connection, None, 1_198, 10))
    assert (found, total) == (many[1_198:], 1_200)
    names = [one.lamp for one in many]
    assert len(await ledger.read(lambda connection: records.burning(connection, names))) == 1_200
    assert await ledger.read(lambda c: records.sightings(c, NOON_MS, END_MS)) == [Sighting("l-1", at(8), lit=True)]
    assert await ledger.read(records.tariffs) == [tariff]
    assert await ledger.read(lambda connection: records.baseline(connection, NIGHT)) == baseline
    assert await ledger.read(lambda connection: records.baseline(connection, date(2025, 5, 31))) == Baseline()


async def test_no_plan_was_given_and_no_document_is_found(ledger):
    assert await ledger.read(lambda connection: documents(connection, NOON_MS, END_MS)) == []
