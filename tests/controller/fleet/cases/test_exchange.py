"""To and from the case system: files read whole or not at all, and the same file twice changes nothing."""

import json
from zoneinfo import ZoneInfo

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.errors import Refusal
from lamplighter_controller.fleet.cases import exchange
from lamplighter_controller.fleet.cases.desk import CaseDesk, Taken
from lamplighter_controller.fleet.cases.exchange import Row, from_csv, from_json
from lamplighter_controller.fleet.cases.life import Act, Wish
from lamplighter_controller.fleet.cases.shares import shares
from lamplighter_controller.fleet.violations import records
from lamplighter_controller.fleet.violations.violation import State, Step, Violation
from lamplighter_controller.security import audit
from tests.controller.ledgers import open_in

NOW = 1_763_650_000_000


def violation(name, kind="overspeed", rules=1):
    return Violation(name, "truck-1", "red", kind, 0.9, NOW, NOW + 60_000, NOW, NOW, rules=rules)


def test_rows_of_both_forms_are_the_same():
    csv = "violation,case_number,outcome,amount_yuan\r\nv-1,2026-17,,\r\n\r\nv-2,,penalty,2000\r\n"
    found = from_csv("\ufeff" + csv)
    assert found.rows == (Row(2, "v-1", "2026-17"), Row(4, "v-2", outcome="penalty", amount_yuan=2000.0))
    objects = [
        {"violation": "v-1", "case_number": "2026-17", "outcome": None},
        {"violation": "v-2", "outcome": "penalty", "amount_yuan": 2000},
    ]
    for document in (objects, {"items": objects}):
        again = from_json(json.dumps(document).encode()).rows
        assert [row.violation for row in again] == ["v-1", "v-2"]
        assert again[1].amount_yuan == 2000.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", {(1, "")}),
        ("case_number\n7\n", {(1, "violation")}),
        ("violation,verdict\nv-1,x\n", {(1, "verdict")}),
        ("violation,violation\nv-1,v-1\n", {(1, "violation")}),
        ("violation,case_number\nv-1\n", {(2, "")}),
        ("violation,case_number\nv-1,\n", {(2, "case_number")}),
        ("violation,case_number\n,7\n", {(2, "violation")}),
        ("violation,case_number\nv-1,7\nv-1,7\n", {(3, "violation")}),
        (
            "violation,outcome,amount_yuan\nv-1,jail,-3\nv-2,penalty,much\n",
            {(2, "outcome"), (2, "amount_yuan"), (3, "amount_yuan")},
        ),
        ('violation,case_number\nv-1,"7\n', {(2, "")}),
    ],
)
def test_every_mistake_is_told_with_its_line(text, told):
    found = from_csv(text)
    assert found.rows == ()
    assert {(fault.line, fault.key) for fault in found.faults} == told


@pytest.mark.parametrize(
    "content", [b"", b"{", b"7", b'["x"]', b'{"items":7}', b"\xff", b'[{"violation":7,"outcome":"penalty"}]']
)
def test_json_that_is_no_list_of_cases_is_refused(content):
    assert from_json(content).faults


def test_what_the_case_system_gets():
    steps = [
        Step(State.CANDIDATE, 1, "rule", "rules 1"),
        Step(State.CASE, 2, "li", "r", {"case_number": "2026-17"}),
        Step(State.OUTCOME, 3, "li", "r", {"outcome": "penalty", "amount_yuan": 2000}),
    ]
    names = {"plate": "鲁A1", "company_name": "红运", "legal_basis": "Decree 12"}
    row = exchange.exported(violation("v-1"), steps, names, "ab" * 32, ZoneInfo("Asia/Shanghai"))
    assert (row["first"], row["case_number"], row["amount_yuan"]) == ("2025-11-20T22:46:40+08:00", "2026-17", 2000)


class Office:
    """Violations that were handed over."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.told: list[Violation] = []
        self.desk = CaseDesk(ledger, ManualClock(NOW), self.told.append)

    async def take(self, name, act, **detail):
        return await self.desk.take(name, Wish(act, "token:li", "seen", detail))

    async def state(self, name):
        return (await self.ledger.read(lambda connection: records.find(connection, name))).state

    async def bring(self, *rows):
        return await self.desk.bring(rows, "token:li", "cases of November")


@pytest.fixture
async def office(tmp_path):
    ledger = await open_in(tmp_path)
    office = Office(ledger)
    found = [violation("v-1"), violation("v-2"), violation("v-3", "dump_outside"), violation("v-4", rules=2)]
    await ledger.write(lambda connection: records.add(connection, found, "rule:fleet"))
    for name in ("v-1", "v-2"):
        await office.take(name, Act.FIND_VALID)
        await office.take(name, Act.NOTIFY, to="dispatcher")
        await office.take(name, Act.HAND_OVER, to="bureau")
    office.told.clear()
    yield office
    await ledger.close()


async def test_a_file_is_taken_once(office):
    rows = Row(2, "v-1", "2026-17", "penalty", 2000.0), Row(3, "v-2", "2026-18", reference="desk 4")
    first, second = await office.bring(*rows), await office.bring(*rows)
    assert (first.steps, first.unchanged, second.steps, second.unchanged) == (3, 0, 0, 3)
    assert (await office.state("v-1"), await office.state("v-2")) == (State.OUTCOME, State.CASE)
    assert [(one.id, one.state) for one in office.told] == [("v-1", "case"), ("v-1", "outcome"), ("v-2", "case")]
    assert await office.ledger.read(audit.verify) is None
    later = await office.bring(Row(2, "v-2", "2026-18", "warning", reference="another desk"))
    assert (later.steps, later.unchanged, later.faults) == (1, 1, ())


async def test_with_one_mistake_nothing_is_taken_and_all_are_told(office):
    await office.bring(Row(2, "v-2", "2026-18"))
    before = await office.ledger.read(lambda connection: audit.newest(connection, limit=500))
    rows = Row(2, "v-1", "2026-17"), Row(3, "v-2", "2026-99"), Row(4, "v-9", "1"), Row(5, "v-3", "2")
    done = await office.bring(*rows)
    assert (done.steps, [(fault.line, fault.key) for fault in done.faults]) == (
        0,
        [(3, "case_number"), (4, "violation"), (5, "case_number")],
    )
    assert "2026-18" in done.faults[0].expected
    assert await office.state("v-1") is State.HANDED_OVER
    assert await office.ledger.read(lambda connection: audit.newest(connection, limit=500)) == before


async def test_a_step_is_audited_told_and_not_taken_twice(office):
    first = await office.take("v-3", Act.FIND_VALID)
    again = await office.take("v-3", Act.FIND_VALID)
    assert isinstance(first, Taken)
    assert isinstance(again, Taken)
    assert (first.repeated, again.repeated, len(office.told)) == (False, True, 1)
    assert isinstance(await office.take("v-3", Act.NUMBER, case_number="7"), Refusal)
    assert await office.take("v-9", Act.FIND_VALID) is None
    rows = await office.ledger.read(lambda connection: audit.newest(connection, subject="violation:v-3"))
    assert [(row.entry.action, row.entry.result) for row in rows] == [("violation.valid", "reviewed_valid")]


async def test_the_share_of_invalid_is_by_rule_and_its_version(office):
    await office.take("v-3", Act.FIND_INVALID)
    await office.take("v-4", Act.FIND_INVALID)
    found = await office.ledger.read(shares)
    assert [(one.kind, one.rules, one.found, one.valid, one.invalid, one.invalid_share) for one in found] == [
        ("dump_outside", 1, 1, 0, 1, 1.0),
        ("overspeed", 1, 2, 2, 0, 0.0),
        ("overspeed", 2, 1, 0, 1, 1.0),
    ]
    assert await office.ledger.read(lambda connection: shares(connection, NOW + 1)) == []
