import csv
import json

import numpy as np
import pytest
from click.testing import CliRunner

from lamplighter_firmware_sim.campaign.generate import Campaign, Order, generate
from lamplighter_firmware_sim.campaign.groups import CASES
from lamplighter_firmware_sim.campaign.kinds import KINDS
from lamplighter_firmware_sim.campaign.network import Size
from lamplighter_firmware_sim.campaign.recipes import What
from lamplighter_firmware_sim.cli import main

SMALL = Size(cabinets=16)


def made(what: What, seed: int = 5, **options) -> Campaign:
    return generate(np.random.default_rng(seed), Order(what=what, size=SMALL, days=4, each=1, **options))


@pytest.fixture(scope="module")
def singles() -> Campaign:
    return made(What.SINGLES)


@pytest.fixture(scope="module")
def groups() -> Campaign:
    return made(What.GROUPS)


def test_equal_seeds_make_equal_campaigns(singles):
    again, other = made(What.SINGLES), made(What.SINGLES, seed=6)
    assert np.array_equal(again.lamps.values["power_w"], singles.lamps.values["power_w"], equal_nan=True)
    assert not np.array_equal(other.lamps.device, singles.lamps.device)


def test_every_single_kind_strikes_and_can_be_seen_after_it_began(singles):
    assert {fault.case for fault in singles.truth.faults} == set(KINDS)
    for fault in singles.truth.faults:
        assert fault.first_observable_ms is None or fault.first_observable_ms >= fault.onset_ms


def test_every_group_case_is_told_once(groups):
    assert sorted(fault.case for fault in groups.truth.faults) == sorted(CASES)


def test_who_has_no_supply_says_nothing(groups):
    fault = next(one for one in groups.truth.faults if one.case == "cabinet_off")
    rows = groups.lamps
    during = (rows.time_ms >= fault.onset_ms) & (rows.time_ms < fault.end_ms)
    assert not np.isin(rows.device[during], fault.lamps).any()
    assert np.isin(rows.device[rows.time_ms >= fault.end_ms], fault.lamps).any()


def test_the_meter_sees_what_the_lamps_of_its_cabinet_draw(singles):
    lamps, meter = singles.lamps, singles.cabinets
    step = len(singles.step_ms) // 2 - 48  # by night
    start = singles.step_ms[step]
    now = (lamps.time_ms >= start) & (lamps.time_ms < start + 900_000)
    device, first = np.unique(lamps.device[now], return_index=True)
    drawn = np.bincount(singles.network.cabinet[device], lamps.values["power_w"][now][first], SMALL.cabinets)
    metered = meter.values["power_w"][(meter.time_ms >= start) & (meter.time_ms < start + 900_000)]
    heard = np.bincount(singles.network.cabinet[device], minlength=SMALL.cabinets)
    complete = heard == np.bincount(singles.network.cabinet, minlength=SMALL.cabinets)
    ratio = (metered / np.maximum(drawn, 1))[complete & (drawn > 1000)]
    assert len(ratio) > 3
    assert np.median(np.abs(ratio - 1.02)) < 0.03


def test_confounders_alone_are_no_fault():
    nothing = made(What.CONFOUNDERS)
    assert nothing.truth.faults == []
    assert 0.02 < np.mean(nothing.network.model != nothing.network.book_model) < 0.09
    assert (np.diff(nothing.lamps.arrival_ms) >= 0).all()
    assert (np.diff(nothing.lamps.time_ms) < 0).any()


def test_files_say_the_same_to_anybody(tmp_path):
    asked = [
        "campaign",
        "singles",
        "--directory",
        str(tmp_path),
        "--cabinets",
        "8",
        "--days",
        "4",
        "--each",
        "1",
        "--interval-s",
        "3600",
    ]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0, result.output
    topology = json.loads((tmp_path / "T.json").read_text())
    lamps = {
        lamp["id"]
        for cabinet in topology["cabinets"]
        for feeder in cabinet["feeders"]
        for pole in feeder["poles"]
        for lamp in pole["lamps"]
    }
    with (tmp_path / "T.csv").open() as file:
        first = next(csv.DictReader(file))
    assert first["time"].endswith("Z")
    assert {"power_w", "energy_kwh", "voltage_a_v", "circuit_current_a"} <= set(first)
    with (tmp_path / "L.csv").open() as file:
        told = {row["device"] for row in csv.DictReader(file)}
    assert lamps <= told
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "truth.jsonl").read_text().splitlines()]
    assert "lamp_dead" in kinds
