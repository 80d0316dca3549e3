"""What was found: durable at once, folded from its entries, judged against the inventory, put on a sheet."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.commissioning.sheet import html, text
from lamplighter_gateway.commissioning.sheet.model import sheet
from lamplighter_gateway.commissioning.sheet.words import FINDINGS, WORDS
from lamplighter_gateway.commissioning.walk import inventory
from lamplighter_gateway.commissioning.walk.feeding import drops, lost_power, phase_of
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


def saw(device, pole, time=1):
    return Entry(What.SAW, time, "li", saw=Saw(device, pole))


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


def test_of_a_whole_citys_rows_only_those_of_this_gateway_count():
    rows = [
        {"id": "lum-1", "device": "lamp-1", "cabinet": "cab-9"},
        {"id": "lum-2", "device": "lamp-2", "cabinet": "cab-1"},
        {"id": "lum-3", "device": "lamp-3", "cabinet": "cab-9"},
        {"id": "circuit-1", "cabinet": "cab-9"},
    ]
    found = inventory.concerning(rows, {"lamp-1", "circuit-1"}, {"cab-1"})
    assert [row["id"] for row in found] == ["lum-1", "lum-2", "circuit-1"]


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


async def test_a_record_that_cannot_be_read_stops_nobody_and_takes_no_answer(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    file = RecordFile(tmp_path)
    await file.open()
    assert file.record.job == ""
    with pytest.raises(DiskFullError):
        await file.add(saw("lamp-1", "P1"))
