"""Every figure of a month's report, worked out once more from the raw rows of what happened."""

import json
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_controller.lighting import store as inventory_store
from lamplighter_controller.lighting.inventory import District, Luminaire, Road
from lamplighter_controller.maintenance.figures.columns import By
from tests.controller.api.world import RATE, open_world
from tests.controller.maintenance.month import (
    BEGIN,
    HOUR_MS,
    LAMPS_PER_ROAD,
    MINUTE_MS,
    MONTH,
    ROADS,
    Month,
    in_month,
    lives,
    nights,
    rows_of,
)
from tests.controller.maintenance.yard import Yard

RUNS = {"new", "assigned", "on_the_way", "on_site", "returned"}
THIRTY_DAYS_MS = 30 * 24 * HOUR_MS
Cell = tuple[str, str, str]  # figure, by, key
Sums = dict[Cell, list[float]]


async def enter(yard: Yard) -> None:
    """1,800 lamps, three crews of two companies."""
    roads = [Road(name, "main" if number % 3 else "branch", name, "lixia") for number, name in enumerate(ROADS)]  # type: ignore[arg-type]  # its word
    lamps = [
        Luminaire(f"l-{road[-2:]}-{number:03}", 36.6, 117.1, f"lamp-{road[-2:]}-{number:03}", road)
        for road in ROADS
        for number in range(LAMPS_PER_ROAD)
    ]
    for things in ([District("lixia")], roads, lamps):
        await yard.world.ledger.write(partial(inventory_store.put, things=things))
    for number, company in enumerate(("red", "red", "blue")):
        crew = {"id": f"crew-{number}", "company": company}
        await yard.world.send("PUT", "/crews", {"reason": "test", "crew": crew}, "operator")


class Told:
    """One order as its steps tell it."""

    def __init__(self, order: Any, steps: list[Any]) -> None:
        self.order, self.steps = order, steps
        self.first_ms, self.detail = steps[0]["at_ms"], json.loads(steps[0]["detail"])
        self.stood_ms, self.stands = 0, False
        since_ms = 0
        for step in steps[1:]:
            if step["before"] in RUNS and step["after"] not in RUNS:
                since_ms, self.stands = step["at_ms"], True
            if step["before"] not in RUNS and step["after"] in RUNS:
                self.stood_ms, self.stands = self.stood_ms + step["at_ms"] - since_ms, False
        again_ms = max(self.times("return"), default=0)
        self.done = [time_ms for time_ms in self.times("finish") if time_ms > again_ms]

    def times(self, action: str) -> list[int]:
        return [step["at_ms"] for step in self.steps if step["action"] == action]

    @property
    def is_ours(self) -> bool:
        return not {"not-ours", "duplicate", "cleared"} & {step["action"] for step in self.steps}

    def counts(self, proved_before: list[int]) -> Iterator[tuple[str, float]]:
        """Each figure whose denominator it is in, with what it adds to the numerator."""
        due_ms = self.detail["due_ms"] + self.stood_ms
        if in_month(due_ms) and (self.done or not self.stands):
            yield "timely_repair", bool(self.done) and self.done[0] <= due_ms
        if in_month(self.first_ms):
            yield "closing", self.steps[-1]["action"] == "close"
            last_ms = max((one for one in proved_before if one <= self.first_ms), default=0)
            yield "recurrence", bool(last_ms) and self.first_ms - last_ms <= THIRTY_DAYS_MS
        if in_month(self.order["detected_ms"]):
            yield "detect", (self.order["detected_ms"] - self.order["onset_ms"]) / MINUTE_MS
        for arrived_ms in self.times("arrive")[:1]:
            if in_month(arrived_ms):
                yield "arrive", (arrived_ms - self.first_ms) / MINUTE_MS
        for done_ms in self.done:
            if in_month(done_ms):
                yield "repair", (done_ms - self.first_ms - self.stood_ms) / MINUTE_MS


def recomputed(folder: Path) -> Sums:
    """Numerators and denominators from steps alone, one order after the other."""
    sums: Sums = defaultdict(lambda: [0.0, 0.0])
    proved_before: dict[str, list[int]] = defaultdict(list)
    for told in (Told(order, steps) for order, steps in lives(folder)):
        order = told.order
        groups = [("all", ""), *((by, order[by]) for by in ("crew", "road", "company"))]
        for figure, numerator in told.counts(proved_before[order["element"]]) if told.is_ours else ():
            for by, key in groups:
                sums[figure, by, key][0] += numerator
                sums[figure, by, key][1] += 1
        proved_before[order["element"]] += told.times("prove")
    query = """SELECT grouped, key, sum(lit_ms) AS lit, sum(lit_ms + dark_ms) AS known FROM proof_night_tally
               WHERE substr(night, 1, 7) = ? GROUP BY grouped, key"""
    for row in rows_of(folder, query, MONTH):
        by = "all" if row["grouped"] == "city" else row["grouped"]
        sums["lit_rate", by, row["key"]] = [row["lit"] / MINUTE_MS, row["known"] / MINUTE_MS]
    return sums


@pytest.mark.timeout(180)
async def test_every_figure_of_a_month_for_1800_lamps_is_what_its_rows_say(tmp_path: Path) -> None:
    clock = ManualClock(round(BEGIN.timestamp() * 1000), rate=RATE)
    async with open_world(tmp_path, clock, {}, tmp_path / "web") as world:
        yard = Yard(world)
        await enter(yard)
        await nights(yard, Random(7))
        await Month(yard, Random(11)).live()
        report = await yard.room.reporter.make(MONTH, "token:test", "the month is over")
        wanted = recomputed(tmp_path)
        found = {(one.figure, one.by, one.key): one for one in report.figures}
        assert set(found) == set(wanted)
        assert {one.by for one in report.figures} == set(By)
        for cell, (numerator, denominator) in wanted.items():
            assert found[cell].numerator == pytest.approx(numerator), cell
            assert found[cell].denominator == pytest.approx(denominator), cell
            times = 100 if found[cell].unit == "%" else 1
            assert found[cell].value == pytest.approx(times * numerator / denominator), cell
        whole = {name: found[name, "all", ""] for name in ("timely_repair", "closing", "recurrence")}
        assert all(0 < one.numerator < one.denominator for one in whole.values()), "something of each kind happened"
        assert whole["closing"].denominator > 40
        for name, one in whole.items():
            behind = await yard.room.reporter.behind(name, By.ALL, "", MONTH)
            assert (sum(row.numerator for row in behind), len(behind)) == (one.numerator, one.denominator)
        proofs = rows_of(
            tmp_path, "SELECT proof, count(*) AS n FROM maintenance_order WHERE closed_ms > 0 GROUP BY proof"
        )
        assert len(proofs) >= 2
