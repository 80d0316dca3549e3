"""The record of a commissioning: durable at once, folded from its entries, judged against the inventory."""

import asyncio
import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.clock import SystemClock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.level import Override
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.cli import host
from lamplighter_gateway.cli.host import RefusedError
from lamplighter_gateway.cli.walking import Walk
from lamplighter_gateway.commands.ledger import Change
from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.sheet import html, text
from lamplighter_gateway.commissioning.sheet.model import sheet
from lamplighter_gateway.commissioning.sheet.words import FINDINGS, WORDS
from lamplighter_gateway.commissioning.walk import inventory
from lamplighter_gateway.commissioning.walk.desk import WalkDesk
from lamplighter_gateway.commissioning.walk.feeding import drops, lost_power, phase_of
from lamplighter_gateway.commissioning.walk.field import Field
from lamplighter_gateway.commissioning.walk.findings import Finding, conflicts, corrected_luminaires
from lamplighter_gateway.commissioning.walk.inventory import Expected
from lamplighter_gateway.commissioning.walk.journal import FILE_NAME, RecordFile
from lamplighter_gateway.commissioning.walk.record import (
    CircuitRow,
    Entry,
    Fed,
    LampRow,
    Record,
    Saw,
    What,
    as_json,
    folded,
    from_json,
)
from lamplighter_gateway.config.problem import Problem
from lamplighter_gateway.disk import DiskFullError
from lamplighter_gateway.drivers.port import Outcome, Point, Reading, Written
from tests.gateway.fakes import MemoryBus, until
from tests.gateway.rig import LAMPS, Rig, keys_document

CIRCUIT, METER = "circuit-1", "cab-1"


def saw(device, pole, time=1):
    return Entry(What.SAW, time, "li", saw=Saw(device, pole))


class CabinetBus(MemoryBus):
    """Lamps behind one contactor with a meter; `phase` carries them."""

    def __init__(self, sink, clock):
        super().__init__("bus-1", LAMPS, sink, clock)
        self.closed, self.phase, self.losses = True, "b", 0
        self.in_hand: set[str] = set()
        self.out_of_hand = 0  # switchings that the gateway's own loop might have undone

    async def read(self, device, timeout_s):
        now_ms = self._clock.civil_ms()
        if device == METER:
            load_a = 6.0 if self.closed else 0.0
            values = {f"current_{p}_a": 2.0 + (load_a if p == self.phase else 0.0) for p in "abc"}
            return Reading(METER, Kind.CABINET, now_ms, values)
        if device == CIRCUIT:
            return Reading(CIRCUIT, Kind.CIRCUIT, now_ms, {"contactor_closed": self.closed})
        found = await super().read(device, timeout_s)
        assert isinstance(found, Reading)
        return Reading(device, Kind.LAMP, now_ms, {**found.values, "supply_loss_count": self.losses})

    def _write(self, write, applied):
        if write.device != CIRCUIT:
            return super()._write(write, applied)
        assert write.point is Point.CONTACTOR
        self.out_of_hand += CIRCUIT not in self.in_hand
        self.losses += self.closed and not write.value
        self.closed = bool(write.value)
        return Written(CIRCUIT, Outcome.VERIFIED)


class CabinetRig(Rig):
    """A gateway with a cabinet, and the desk in it."""

    desk: WalkDesk
    bus: CabinetBus

    def _drivers(self, sink):
        self.bus = CabinetBus(sink, self.clock)
        return {"bus-1": self.bus}

    def build(self, fault=lambda _point: None):
        gateway = super().build(fault)
        for name, kind in ((CIRCUIT, Kind.CIRCUIT), (METER, Kind.CABINET)):
            capabilities = ("supply.isolate", "supply.restore") if kind is Kind.CIRCUIT else ()
            gateway.registry.entries[name] = DeviceEntry(name, kind, "p", "bus-1/240", capabilities)
            gateway.registry.bus_of[name] = "bus-1"
        self.bus.in_hand = gateway.actuator.under_test
        field = Field(gateway.registry, gateway.actuator, gateway.journal, gateway.clock)
        self.desk = WalkDesk("gw-7", field, RecordFile(self.folder), gateway.events, gateway.clock)
        gateway.services["commissioning"] = self.desk.run
        return gateway

    async def say(self, step, **details):
        return await self.desk.handle({"step": step, **details}, "li")

    async def fed(self):
        await until(lambda: CIRCUIT in self.desk.record.fed, 60)
        return self.desk.record.fed[CIRCUIT]


async def test_a_circuit_is_opened_for_seconds_its_phase_and_lamps_found_and_the_centre_told(tmp_path):
    rig = CabinetRig(tmp_path)
    async with rig.running():
        assert "error" in await rig.say("feeders")  # nothing is open
        await rig.say("begin")
        await rig.say("expect", circuits=[{"circuit": CIRCUIT, "phase": "a"}])
        assert (await rig.say("feeders"))["circuits"] == [CIRCUIT]
        fed = await rig.fed()
        assert (fed.phase, set(fed.lamps or ())) == ("b", set(LAMPS))
        assert rig.bus.closed
        assert rig.bus.out_of_hand == 0
        assert rig.desk.record.open_circuits == {}
        await until(lambda: any(event["event"] == "commission.feeder" for event in rig.link.events()), 60)
        event = next(event for event in rig.link.events() if event["event"] == "commission.feeder")
        assert (event["detail"]["phase"], event["detail"]["expected"], event["device"]) == ("b", "a", CIRCUIT)
        assert "error" not in await rig.say("end")
        assert "error" in await rig.say("saw", device="lamp-1", pole="P1")
        assert rig.desk.about()["job"] is None


@pytest.mark.parametrize("operation", [Operation.SUPPLY_ISOLATE, Operation.DEVICE_LOCK])
async def test_nothing_is_switched_where_anybody_is_at_work(tmp_path, operation):
    rig = CabinetRig(tmp_path)
    async with rig.running():
        rig.link.send(Down.KEYS, keys_document(), retained=True)
        isolates = operation is Operation.SUPPLY_ISOLATE
        command = rig.centre.command(
            operation, {} if isolates else {"holder": "user:li"}, (CIRCUIT if isolates else "lamp-2",)
        )
        rig.centre.send(command)
        await until(lambda: len(rig.gateway.journal.holds.all()) == 1, 60)
        await rig.say("begin")
        before = [write for write in rig.bus.writes if write.device != CIRCUIT]
        await rig.say("feeders")
        fed = await rig.fed()
        assert (fed.phase, fed.lamps) == ("", None)
        assert ("isolated" if isolates else "lamp-2 is locked by user:li") in fed.why
        assert [write for write in rig.bus.writes if write.device != CIRCUIT] == before
        assert all(not write.value for write in rig.bus.writes if write.device == CIRCUIT)


async def test_the_loop_leaves_alone_what_is_under_test_and_mends_it_afterwards(tmp_path):
    rig = Rig(tmp_path)
    async with rig.running() as gateway:
        now_ms = rig.clock.civil_ms()
        await gateway.journal.want(Change(overrides=(Override("o", 1, now_ms, "lamp-1", 70.0, now_ms + 600_000),)), 1)
        gateway.actuator.under_test.add("lamp-1")
        await until(lambda: "lamp-1" in gateway.actuator.shown, 60)
        async with asyncio.TaskGroup() as writes:
            await gateway._autonomy.step(writes)
        assert rig.bus.writes == []
        gateway.actuator.under_test.clear()
        await until(lambda: rig.levels["lamp-1"] == 70, 60)


async def test_a_circuit_left_open_by_a_kill_is_closed_at_the_next_start(tmp_path):
    file = RecordFile(tmp_path)
    await file.add(Entry(What.BEGUN, 1, "li", "job-1"))
    await file.add(Entry(What.OPENED, 2, "li", CIRCUIT))
    rig = CabinetRig(tmp_path)
    rig.build()
    gateway = rig.gateway
    rig.bus.closed = False
    task = asyncio.create_task(gateway.run(), name="gateway")
    try:
        await until(lambda: rig.bus.closed and not rig.desk.record.open_circuits, 60)
    finally:
        gateway.stop()
        await task
    await file.open()
    assert file.record.open_circuits == {}


async def test_answers_are_refused_when_they_make_no_sense(tmp_path):
    rig = CabinetRig(tmp_path)
    async with rig.running():
        assert "no commissioning is open" in (await rig.say("saw", device="lamp-1", pole="P1"))["error"]
        await rig.say("begin")
        assert "still open" in (await rig.say("begin"))["error"]
        for details in (
            {"device": "nobody", "pole": "P1"},
            {"device": "lamp-1", "pole": ""},
            {"device": "lamp-1", "pole": "P\x00"},
            {"device": "lamp-1", "pole": "P" * 500},
            {"device": "lamp-1", "pole": 7},
        ):
            assert "error" in await rig.say("saw", **details)
        assert "error" in await rig.say("expect", lamps=[{"pole": 1}])
        assert "error" in await rig.say("expect", lamps="many")
        assert "error" in await rig.say("feeders", circuits=["nobody"])
        assert "error" in await rig.say("blink", device="lamp-1", seconds=0)
        assert "error" in await rig.say("blink", device=METER, seconds=5)
        assert "error" in await rig.say("dance")
        assert rig.desk.record.seen == {}
        assert rig.bus.writes == []


async def test_every_answer_is_on_disk_before_it_is_given_and_a_torn_line_is_cut(tmp_path):
    file = RecordFile(tmp_path)
    await file.add(Entry(What.BEGUN, 1, "li", "job-1"))
    await file.add(saw("lamp-1", "P1"))
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    again = RecordFile(tmp_path)
    await again.open()
    assert again.record.seen["lamp-1"].pole == "P1"
    for cut in range(len(whole) - 1, whole.index(b"\n"), -7):
        path.write_bytes(whole[:cut])
        await again.open()
        assert (again.record.job, "lamp-1" in again.record.seen) == ("job-1", False)
        await again.add(saw("lamp-2", "P2"))
        await again.open()
        assert again.record.seen["lamp-2"].pole == "P2"
    path.write_bytes(b"garbage\n" + whole)
    await again.open()
    assert again.record.seen["lamp-1"].pole == "P1"


@given(
    st.lists(st.tuples(st.sampled_from(["lamp-1", "lamp-2", "lamp-3"]), st.none() | st.sampled_from(["P1", "P2"]))),
    st.integers(0, 40),
)
def test_a_record_is_the_same_folded_at_once_or_gone_on_with_and_after_json(answers, cut):
    entries = [Entry(What.BEGUN, 1, "li", "job"), *(saw(device, pole, n) for n, (device, pole) in enumerate(answers))]
    at_once = folded(entries)
    gone_on = folded(entries[:cut])
    for entry in entries[cut:]:
        gone_on.take(msgspec.json.decode(msgspec.json.encode(entry), type=Entry))
    assert gone_on == at_once == from_json(as_json(at_once))


@pytest.mark.parametrize(
    ("closed", "opened", "phase"),
    [
        ((8, 2, 2), (2, 2, 2), "a"),
        ((2, 8, 2.1), (2, 2, 2), "b"),
        ((5, 5, 5), (1, 1, 1), "abc"),
        ((2.1, 2, 2), (2, 2, 2), ""),  # too little to tell
        ((6, 5, 2), (2, 2, 2), ""),  # two phases: neither one circuit nor three
        ((2, 2, 8), (2, 5, 2), ""),  # another load came on meanwhile
    ],
)
def test_the_phase_is_the_one_whose_current_falls_clearly(closed, opened, phase):
    def read(values):
        return {f"current_{name}_a": value for name, value in zip("abc", values, strict=True)}

    assert phase_of(drops(read(closed), read(opened)))[0] == phase
    assert phase_of(drops(read(closed), {})) == ("", 0.0)


def test_lamps_that_counted_a_loss_are_on_the_circuit():
    assert lost_power({"a": 3, "b": 3}, {"a": 4, "b": 3}) == ("a",)
    assert lost_power({}, {}) is None


def record_of(*entries):
    record = Record("job", 1, "li")
    rows = tuple(LampRow(f"lamp-{n}", f"P{n}", "circuit-1", "a") for n in (1, 2, 3, 4))
    record.take(Entry(What.EXPECTED, 1, "li", lamps=rows, circuits=(CircuitRow("circuit-1", "a"),)))
    for entry in entries:
        record.take(entry)
    return record


def test_differences_are_each_named_once():
    fed = Entry(What.FED, 1, "li", fed=Fed("circuit-1", "b", 3.0, ("lamp-1",)))
    other = Entry(What.FED, 1, "li", fed=Fed("circuit-2", "c", 3.0, ("lamp-2",)))
    record = record_of(saw("lamp-1", "P1"), saw("lamp-2", "P3"), saw("lamp-3", "P3"), saw("lamp-5", "P9"), fed, other)
    found = conflicts(
        record, ["lamp-1", "lamp-2", "lamp-3", "lamp-5", "lamp-6"], ["circuit-1", "circuit-2", "circuit-3"]
    )
    assert {(one.finding, one.subject) for one in found} == {
        (Finding.WRONG_POLE, "lamp-2"),
        (Finding.TWO_AT_POLE, "P3"),
        (Finding.NOT_IN_INVENTORY, "lamp-5"),
        (Finding.NOT_IN_INVENTORY, "lamp-6"),
        (Finding.NOT_ASKED, "lamp-6"),
        (Finding.NOT_ON_GATEWAY, "lamp-4"),
        (Finding.WRONG_PHASE, "circuit-1"),
        (Finding.WRONG_CIRCUIT, "lamp-2"),
        (Finding.NOT_MEASURED, "circuit-3"),
    }
    assert len(found) == len({(one.finding, one.subject) for one in found})


@given(st.permutations([f"lamp-{n}" for n in range(1, 9)]))
def test_whoever_hangs_where_the_corrected_inventory_stands_at_the_pole_where_it_was_seen(order):
    rows = [{"id": f"lum-{n}", "device": f"lamp-{n}", "pole": f"P{n}", "latitude": str(n)} for n in range(1, 9)]
    record = Record("job", 1, "li")
    record.take(Entry(What.EXPECTED, 1, "li", lamps=tuple(LampRow(r["device"], r["pole"]) for r in rows)))
    for n, device in enumerate(order, start=1):
        record.take(saw(device, f"P{n}"))
    corrected, homeless = corrected_luminaires(rows, record)
    assert homeless == []
    assert [row["device"] for row in corrected] == list(order)
    assert [(row["id"], row["pole"], row["latitude"]) for row in corrected] == [
        (row["id"], row["pole"], row["latitude"]) for row in rows
    ]


def test_a_lamp_seen_at_a_pole_that_is_taken_is_left_to_a_person():
    rows = [{"id": "lum-1", "device": "lamp-1", "pole": "P1"}, {"id": "lum-2", "device": "lamp-2", "pole": "P2"}]
    record = record_of(saw("lamp-1", "P2"), saw("lamp-2", "P2"))
    corrected, homeless = corrected_luminaires(rows, record)
    assert homeless == ["lamp-1"]
    assert [row["device"] for row in corrected] == ["", "lamp-2"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("id,device,pole,phase\nlum-1,lamp-1,P1,a\nlum-2,,P2,b\n", [Expected("lamp-1", "P1", "", "a")]),
        ('[{"id": "lum-1", "device": "lamp-1", "pole": "P1", "phase": null}]', [Expected("lamp-1", "P1")]),
        ('{"items": [{"id": "lum-1", "device": "lamp-1"}]}', [Expected("lamp-1")]),
    ],
)
def test_an_inventory_is_read_from_csv_and_json(content, expected):
    rows = inventory.read_rows("f", content, ("id", "device"))
    assert list(inventory.lamps("f", [row for row in rows if not isinstance(row, Problem)])) == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("id,pole\nlum-1,P1\n", "device"),
        ("id,device\nlum-1\n", "line 2"),
        ("[1, 2]", "a list of objects"),
        ("{not json", "not JSON"),
        ('[{"id": "lum-1"}]', "a column device"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_wrong_inventory_is_named_with_its_place(content, says):
    found = inventory.read_rows("lamps.csv", content, ("id", "device"))
    assert found
    assert all(isinstance(one, Problem) for one in found)
    assert says in " ".join(map(str, found))
    twice = inventory.lamps(
        "f", [{"device": "lamp-1"}, {"device": "lamp-1"}, {"device": "LAMP 2"}, {"device": "x", "phase": "d"}]
    )
    assert len(twice) == 3


def test_the_sheet_is_the_same_in_both_languages_and_safe_as_html():
    record = record_of(saw("lamp-1", "<b>P1</b>"), saw("lamp-2", None))
    made = sheet("gw-1", record, ["lamp-1", "lamp-2", "lamp-3", "lamp-4"], ["circuit-1"])
    assert made.counts == {"lamps": 4, "right": 0, "wrong": 1, "dark": 1, "left": 2}
    for language in Language:
        page = html.page(made, language)
        assert "<b>P1</b>" not in page
        assert "&lt;b&gt;P1" in page
        told = "\n".join(text.lines(made, language, every=True))
        assert WORDS[language]["title"] in told
        assert FINDINGS[language][Finding.WRONG_POLE] in told
    assert WORDS[Language.EN].keys() == WORDS[Language.ZH].keys()
    assert FINDINGS[Language.EN].keys() == FINDINGS[Language.ZH].keys() == set(Finding)


def test_a_clean_sheet_says_so():
    record = record_of(*(saw(f"lamp-{n}", f"P{n}") for n in (1, 2, 3, 4)))
    record.take(Entry(What.FED, 1, "li", fed=Fed("circuit-1", "a", 4.0, tuple(f"lamp-{n}" for n in (1, 2, 3, 4)))))
    made = sheet("gw-1", record, [f"lamp-{n}" for n in (1, 2, 3, 4)], ["circuit-1"])
    assert made.clean
    assert "agree" in "\n".join(text.lines(made, Language.EN))


class Street:
    """What a gateway answers, and what it is asked; a phone may answer for a lamp first."""

    def __init__(self, *lamps, phoned=()):
        self.left, self.seen, self.said, self.phoned = list(lamps), {}, [], set(phoned)

    async def speak(self, step, **details):
        self.said.append((step, details))
        if step == "state":
            left = [lamp for lamp in self.left if lamp not in self.seen]
            expected = {lamp: f"P-{lamp}" for lamp in self.left if lamp != "new"}
            answered = len(self.seen)
            return {"running": True, "left": left, "lamps": len(self.left), "answered": answered, "expected": expected}
        if step == "blink":
            if details["device"] == "mute":
                raise RefusedError("mute cannot blink")
            if details["device"] in self.phoned:
                self.seen[details["device"]] = {"pole": "phoned"}
        if step == "saw":
            if details["pole"] == "bad":
                raise RefusedError("no")
            self.seen[details["device"]] = {"pole": details["pole"]}
        return {"record": {"seen": self.seen}}

    async def walk(self, typed, language=Language.EN):
        keyboard = asyncio.StreamReader()
        keyboard.feed_data(typed.encode())
        if not self.phoned:
            keyboard.feed_eof()
        async with asyncio.timeout(60):
            await Walk(self.speak, 5, language, keyboard).run()
        return {lamp: its["pole"] for lamp, its in self.seen.items()}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("\n\n", {"a": "P-a", "b": "P-b"}),
        ("P-7\nn\n", {"a": "P-7", "b": None}),
        ("b\n\ns\n", {"a": "P-a"}),
        ("q\n", {}),
        ("\n", {"a": "P-a"}),  # the end of the input is a stop
        ("bad\nP-1\n\n", {"a": "P-1", "b": "P-b"}),
    ],
)
async def test_the_keyboard_answers_lamp_by_lamp(typed, found):
    assert await Street("a", "b").walk(typed) == found


async def test_a_lamp_without_a_pole_in_the_inventory_needs_one_typed_and_one_that_cannot_blink_is_said():
    street = Street("new", "mute")
    assert await street.walk("\nP-9\nn\n", Language.ZH) == {"new": "P-9", "mute": None}


async def test_a_phone_may_answer_while_the_keyboard_waits():
    assert await Street("a", "b", phoned={"a", "b"}).walk("") == {"a": "phoned", "b": "phoned"}


async def test_a_record_that_cannot_be_read_stops_nobody_and_takes_no_answer(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    file = RecordFile(tmp_path)
    await file.open()
    assert file.record.job == ""
    with pytest.raises(DiskFullError):
        await file.add(saw("lamp-1", "P1"))


def test_a_data_folder_of_another_user_is_left_alone(tmp_path, monkeypatch):
    host._check_owner(tmp_path)
    host._check_owner(tmp_path / "none")
    monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(RefusedError, match="run this as that user"):
        host._check_owner(tmp_path)


async def test_a_full_disk_takes_no_answer(tmp_path):
    class Full(RecordFile):
        def _append(self, entry):
            raise OSError(28, "No space left on device")

    rig = CabinetRig(tmp_path)
    rig.build()
    field = Field(rig.gateway.registry, rig.gateway.actuator, rig.gateway.journal, SystemClock())
    desk = WalkDesk("gw-7", field, Full(tmp_path), rig.gateway.events, SystemClock())
    task = asyncio.create_task(desk.run(), name="desk")
    try:
        assert "not kept" in (await desk.handle({"step": "begin"}, "li"))["error"]
        assert desk.record.job == ""
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
