"""The desk on a real ledger and a real folder: bound, packed, held, let go."""

import hashlib
import json
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.signing import KeysDocument, PublicKey, Signer, encode_key
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.pieces import pieces_of
from lamplighter_controller.fleet.cases.desk import CaseDesk
from lamplighter_controller.fleet.cases.life import Act, Wish
from lamplighter_controller.fleet.evidence import records, track
from lamplighter_controller.fleet.evidence.archive import unpack
from lamplighter_controller.fleet.evidence.desk import EvidenceDesk
from lamplighter_controller.fleet.evidence.ground import Around
from lamplighter_controller.fleet.evidence.keeper import EvidenceKeeper
from lamplighter_controller.fleet.evidence.photos import MOST_PHOTO_BYTES, Photo
from lamplighter_controller.fleet.evidence.records import Part
from lamplighter_controller.fleet.evidence.retention import DAY_MS, Policy
from lamplighter_controller.fleet.evidence.shelf import Damaged, Shelf, ShelfFull
from lamplighter_controller.fleet.evidence.verifying import verify_package
from lamplighter_controller.fleet.judging.places import PlaceKind
from lamplighter_controller.fleet.register import records as register
from lamplighter_controller.fleet.register.things import Company, Place, Truck
from lamplighter_controller.fleet.violations import records as violations
from lamplighter_controller.fleet.violations.violation import State, Violation
from lamplighter_controller.security import audit
from lamplighter_controller.series.port import Readings
from tests.controller.ledgers import open_in

ROOT = Signer("root", bytes(range(32)))
KEY = Signer("centre-1", bytes(range(1, 33)))
JPEG = b"\xff\xd8\xff\xe0 a photo"
SQUARE = json.dumps({"type": "Polygon", "coordinates": [[[117, 36], [118, 36], [118, 37], [117, 36]]]})


class OneTrack:
    """A truck that reports every ten seconds while its series is kept."""

    def __init__(self):
        self.kept = True

    async def range(self, kind, devices, quantities, start_ms, end_ms, limit):
        assert (kind, devices) == (Kind.TRUCK, ["t-1"])
        time_ms = np.arange(start_ms, end_ms, 10_000, dtype=np.int64)[: limit if self.kept else 0]
        n = len(time_ms)
        values = {
            "latitude": np.full(n, 36.5),
            "longitude": np.linspace(117.2, 117.3, n),
            "speed_kmh": np.full(n, 42.0),
            "fix": np.ones(n),
            "lift": np.where(np.arange(n) < n // 2, 0.0, 1.0),
            "received": time_ms + 1_500.0,
            "satellites": np.full(n, np.nan),
        }
        return Readings(Kind.TRUCK, ["t-1"] * n, time_ms, values, np.zeros(n, np.uint8))


class Asked:
    """Notes what is asked of gateways."""

    def __init__(self):
        self.wanted = []

    async def submit(self, wanted, who):
        self.wanted.append(wanted)
        return Refusal(Reason.UNKNOWN_DEVICE, "nobody listens")


class Bureau:
    """One violation on record."""

    def __init__(self, folder):
        self.clock = ManualClock()
        self.shelf = Shelf(folder / "evidence", 50_000_000)
        self.shelf.open()
        self.series: Any = OneTrack()
        self.asked = Asked()
        self.folder = folder

    async def __aenter__(self):
        self.ledger = await open_in(self.folder)
        keys = ROOT.sign(KeysDocument(1, (PublicKey(KEY.kid, encode_key(KEY.public), 0, 2**52),)).as_json())
        zone = ZoneInfo("Asia/Shanghai")
        around = Around("centre", self.ledger, self.series, self.shelf, self.asked, KEY, lambda: keys, self.clock, zone)
        self.desk = EvidenceDesk(around)
        self.cases = CaseDesk(self.ledger, self.clock, lambda _violation: None)
        self.keeper = EvidenceKeeper(self.desk, self.ledger, self.shelf, self.clock, Policy())
        await self.ledger.write(self._record)
        return self

    async def __aexit__(self, *_):
        await self.ledger.close()

    def _record(self, connection):
        now_ms, civil_ms = self.clock.wall_ms(), self.clock.civil_ms()
        truck = Truck("truck-1", "鲁A10017", "red", "t-1", installation="seal 4711", calibration="2026-04-02")
        for shelf, thing in (
            ("companies", Company("red", "红运<渣土>")),
            ("trucks", truck),
            ("places", Place("school", PlaceKind.SPEED, SQUARE, basis="Decree 12")),
        ):
            register.put(connection, shelf, [thing], who="test", time_ms=now_ms)
        register.put(
            connection, "places", [Place("school", PlaceKind.SPEED, SQUARE, basis="new")], who="test", time_ms=now_ms
        )
        found = Violation(
            "v-1",
            "truck-1",
            "red",
            "overspeed",
            0.97,
            civil_ms - 3_600_000,
            civil_ms - 3_500_000,
            now_ms,
            now_ms,
            place="school",
            place_version=1,
            latitude=36.5,
            longitude=117.25,
            evidence={"speed_kmh": 75.0, "limit_kmh": 40.0},
        )
        violations.add(connection, [found], "rule:fleet")

    async def take(self, act, **detail):
        return await self.cases.take("v-1", Wish(act, "token:li", "looked at", detail))

    async def parts(self):
        return await self.ledger.read(lambda connection: records.parts_of(connection, "v-1"))

    async def trail(self):
        rows = await self.ledger.read(lambda connection: audit.newest(connection, subject="violation:v-1"))
        return [row.entry.action for row in reversed(rows)]


@pytest.fixture
async def bureau(tmp_path):
    async with Bureau(tmp_path) as bureau:
        yield bureau


async def bring(bureau, name, content, device="t-1", violation="v-1"):
    return await bureau.desk.take("gw-1", list(pieces_of(violation, device, name, content)))


FRAMES = b'{"clock_offset_ms":-60900,"frames":1}\n{"frame":"7e7e","offset_ms":null,"received_ms":1}\n'


async def test_a_package_has_it_all_and_is_anchored_in_a_trail_that_is_whole(bureau):
    assert await bring(bureau, "frames.jsonl", FRAMES) == 0
    await bureau.desk.attach("v-1", Photo(JPEG, "phone", None, "from the <gate>"), "token:li")
    await bureau.take(Act.FIND_VALID)
    made = await bureau.desk.make("v-1", "token:li", "for the bureau")
    content = await bureau.desk.open("v-1", 1)
    verdict = verify_package(content, ROOT.public)
    assert (verdict.findings, verdict.signer_known, verdict.audit_number) == ((), True, made.audit_number)
    assert made.missing == ()
    parts = unpack(content).parts
    assert list(parts) == [
        "manifest.json",
        "anchor.json",
        "violation.json",
        "track.csv",
        "frames.jsonl",
        "photos/01-phone.jpg",
        "keys.json",
        "zh.html",
        "en.html",
    ]
    facts = json.loads(parts["violation.json"])
    assert (facts["place"]["version"], facts["place"]["basis"]) == (1, "Decree 12")
    assert facts["truck"]["installation"] == "seal 4711"
    assert facts["clock_offset_ms"] == -60_900
    assert facts["quality"]["delay_median_s"] == 1.5
    assert [one["value"] for one in facts["states"] if one["state"] == "lift"] == ["flat", "raised"]
    assert [one["state"] for one in facts["steps"]] == ["candidate", "reviewed_valid"]
    page = parts["zh.html"].decode()
    assert "红运&lt;渣土&gt;" in page
    assert "<gate>" not in page
    assert await bureau.ledger.read(audit.verify) is None
    assert await bureau.trail() == ["violation.evidence", "violation.evidence", "violation.valid", "violation.package"]


async def test_what_is_missing_is_told_with_its_reason(bureau):
    bureau.series.kept = False
    made = await bureau.desk.make("v-1", "token:li", "early")
    assert {one.part for one in made.missing} == {"track.csv", "frames.jsonl"}
    assert verify_package(await bureau.desk.open("v-1", 1), KEY.public).whole


async def test_packages_are_numbered_and_the_first_one_stays(bureau):
    first = await bureau.desk.make("v-1", "token:li", "one")
    before = await bureau.desk.open("v-1", 1)
    await bring(bureau, "frames.jsonl", FRAMES)
    second = await bureau.desk.make("v-1", "token:li", "two")
    assert (first.number, second.number) == (1, 2)
    assert await bureau.desk.open("v-1", 1) == before
    assert await bureau.desk.open("v-1", 3) is None
    assert await bureau.desk.make("v-9", "token:li", "no") is None


async def test_the_track_is_kept_beyond_its_retention_once_a_person_found_it_valid(bureau):
    await bureau.take(Act.FIND_VALID)
    await bureau.keeper.look()
    bureau.series.kept = False
    await bureau.desk.make("v-1", "token:li", "later")
    kept = unpack(await bureau.desk.open("v-1", 1)).parts["track.csv"].decode()
    assert kept.splitlines()[1].split(",")[2:5] == ["36.5", "117.2", "42"]
    again = track.csv_of(track.from_csv(kept))
    assert again == kept


async def test_raw_frames_are_asked_for_while_the_gateway_still_has_them(bureau):
    await bureau.keeper.look()
    await bureau.keeper.look()
    [wanted] = bureau.asked.wanted
    assert (wanted.op, wanted.devices, wanted.key) == (Operation.TRUCK_EVIDENCE, ("t-1",), "evidence:v-1")
    assert wanted.args["to"] - wanted.args["from"] == 100_000 + 2 * 15 * 60_000


@pytest.mark.parametrize(
    "photo",
    [
        Photo(b"", "phone"),
        Photo(b"GIF89a", "phone"),
        Photo(b"<html>", "phone"),
        Photo(JPEG, "nobody"),
        Photo(JPEG, "phone", note="x" * 501),
        Photo(JPEG.ljust(MOST_PHOTO_BYTES + 1, b"\x00"), "phone"),
    ],
    ids=["empty", "gif", "html", "source", "note", "size"],
)
async def test_what_is_no_photo_is_refused(bureau, photo):
    assert isinstance(await bureau.desk.attach("v-1", photo, "token:li"), Refusal)
    assert await bureau.parts() == []


async def test_the_same_photo_twice_is_one_and_needs_a_violation(bureau):
    for _ in range(2):
        part = await bureau.desk.attach("v-1", Photo(JPEG, "drone"), "token:li")
        assert isinstance(part, Part)
    assert [one.sha256 for one in await bureau.parts()] == [hashlib.sha256(JPEG).hexdigest()]
    assert await bureau.desk.attach("v-9", Photo(JPEG, "drone"), "token:li") is None


async def test_pieces_in_any_order_and_again_make_one_file(bureau):
    content = bytes(range(256)) * 1_000
    pieces = list(pieces_of("v-1", "t-1", "frames.jsonl", content))
    assert len(pieces) == 3
    for piece in (pieces[2], pieces[0], pieces[2]):
        assert await bureau.desk.take("gw-1", [piece]) == 0
    assert await bureau.parts() == []
    for _ in range(2):
        await bureau.desk.take("gw-1", [pieces[1]])
    [part] = await bureau.parts()
    assert bureau.shelf.read(part.sha256) == content


async def test_pieces_of_other_trucks_or_violations_are_nobodys(bureau):
    assert await bring(bureau, "frames.jsonl", FRAMES, device="t-2") == 1
    assert await bring(bureau, "frames.jsonl", FRAMES, violation="v-9") == 1
    assert await bureau.parts() == []


async def test_a_file_that_is_not_what_its_digest_says_is_dropped(bureau):
    [piece] = pieces_of("v-1", "t-1", "frames.jsonl", FRAMES)
    [other] = pieces_of("v-1", "t-1", "frames.jsonl", FRAMES.replace(b"-60900", b"-60901"))
    lying = piece.__class__(**{**piece.as_json(), "content": other.content})
    await bureau.desk.take("gw-1", [lying])
    assert await bureau.parts() == []
    await bureau.desk.take("gw-1", [piece])
    assert len(await bureau.parts()) == 1


async def test_a_file_changed_on_disk_is_never_handed_out(bureau):
    made = await bureau.desk.make("v-1", "token:li", "one")
    place = bureau.shelf._place(made.sha256)
    place.write_bytes(place.read_bytes()[:-1] + b"!")
    with pytest.raises(Damaged):
        await bureau.desk.open("v-1", 1)


async def test_the_shelf_takes_no_more_than_it_may(bureau):
    bureau.shelf.max_bytes = bureau.shelf.used_bytes + 10
    with pytest.raises(ShelfFull):
        await bureau.desk.attach("v-1", Photo(JPEG, "phone"), "token:li")


@pytest.mark.parametrize(
    ("acts", "days", "held", "goes"),
    [
        ((), 89, False, False),
        ((), 91, False, True),
        ((), 91, True, False),
        ((Act.FIND_INVALID,), 179, False, False),
        ((Act.FIND_INVALID,), 181, False, True),
        ((Act.FIND_VALID,), 10_000, False, False),
    ],
)
async def test_files_go_when_their_time_has_come_and_nothing_holds_them(bureau, acts, days, held, goes):
    await bureau.desk.attach("v-1", Photo(JPEG, "phone"), "token:li")
    for act in acts:
        await bureau.take(act)
    if held:
        await bureau.desk.hold("v-1", "token:li", "court")
        await bureau.desk.hold("v-1", "token:li", "court again")
    bureau.clock.advance(days * DAY_MS / 1000)
    await bureau.keeper.tidy()
    digest = hashlib.sha256(JPEG).hexdigest()
    assert (await bureau.parts() == []) is goes
    assert bureau.shelf._place(digest).exists() is not goes
    if held:
        assert await bureau.desk.release("v-1", "token:li", "over")
        assert not await bureau.desk.release("v-1", "token:li", "over")
        await bureau.keeper.tidy()
        assert await bureau.parts() == []


async def test_a_review_is_not_undone_by_the_rule_that_goes_on(bureau):
    found = await bureau.ledger.read(lambda connection: violations.find(connection, "v-1"))
    await bureau.take(Act.FIND_VALID)
    await bureau.ledger.write(lambda connection: violations.save(connection, found))
    after = await bureau.ledger.read(lambda connection: violations.find(connection, "v-1"))
    assert after.state is State.VALID
