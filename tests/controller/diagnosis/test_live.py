"""Readings as they are stored become steps; what was learned is kept whole or not at all."""

from pathlib import Path

import numpy as np

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.checkpoints import Checkpoint, Checkpoints
from lamplighter_controller.diagnosis.live.collector import OVERDUE_S, Collector, Sight
from lamplighter_controller.diagnosis.live.late import Late
from lamplighter_controller.diagnosis.live.rain import Rain
from lamplighter_controller.series.port import Readings
from tests.controller.diagnosis.street import street

TREE = street(cabinets=2, poles=3)
A, B = TREE.lamps[0], TREE.lamps[1]
NOW_MS = 1_763_650_000_000


def lamps(time_ms: int, *watts: float, devices: tuple[str, ...] = (A, B), quality: int = 0) -> Readings:
    n = len(watts)
    values = {"power_w": np.array(watts), "desired_percent": np.full(n, 100.0)}
    return Readings(Kind.LAMP, list(devices[:n]), np.full(n, time_ms), values, np.full(n, quality, np.uint8))


def test_the_newest_reading_of_a_step_counts_and_a_repeat_is_no_second_witness() -> None:
    collector = Collector(TREE)
    collector.take(lamps(NOW_MS, 10.0, 20.0), 0.0)
    collector.take(lamps(NOW_MS + 1000, 11.0), 0.0)
    collector.take(lamps(NOW_MS, 12.0), 0.0)
    samples = collector.drain(0.0, NOW_MS, {})
    assert samples.lamps.column("power_w")[:2].tolist() == [11.0, 20.0]
    assert samples.lamps.answered.sum() == 2
    collector.take(lamps(NOW_MS + 1000, 11.0), 0.0)
    assert collector.drain(0.0, NOW_MS, {}).lamps.answered.sum() == 0


def test_rain_is_what_the_middle_gauge_measures_or_somebody_says() -> None:
    rain = Rain()
    assert np.isnan(rain.mm_h(NOW_MS, np.nan))
    assert rain.mm_h(NOW_MS, 1.0) == 1.0
    for gauge, mm_h in (("g-1", 0.0), ("g-2", 2.0), ("g-3", 9.0), ("g-3", np.nan)):
        values = {"rain_mm_h": np.array([mm_h])}
        rain.take(Readings(Kind.SENSOR, [gauge], np.array([NOW_MS]), values, np.zeros(1, np.uint8)))
    rain.take(lamps(NOW_MS, 10.0))
    assert rain.mm_h(NOW_MS, np.nan) == 2.0
    assert rain.mm_h(NOW_MS, 0.0) == 2.0
    assert rain.mm_h(NOW_MS, 5.0) == 5.0
    assert np.isnan(rain.mm_h(NOW_MS + 2 * 3_600_000, np.nan)), "a gauge that fell silent says nothing"


def test_who_was_heard_is_there_and_who_was_asked_and_did_not_answer_is_silent() -> None:
    collector = Collector(TREE)
    collector.take(lamps(NOW_MS, 10.0, 20.0), 0.0)
    collector.drain(0.0, NOW_MS, {})
    collector.take(lamps(NOW_MS + 1000, np.nan, quality=Quality.STALE), 60.0)
    for _ in range(2):
        columns = collector.drain(60.0, NOW_MS, {}).lamps
        assert columns.present is not None
        assert (columns.silent[0], columns.present[0]) == (True, False)
        assert (columns.silent[1], columns.present[1]) == (False, True)
    assert not columns.asked[2:].any()
    late = collector.drain(60.0 + OVERDUE_S, NOW_MS, {}).lamps
    assert late.silent[:2].all()


def test_a_gateway_that_is_gone_makes_silent_and_one_that_we_cannot_see_does_not() -> None:
    collector = Collector(TREE)
    collector.expect(Kind.LAMP, TREE.lamps, 0.0)
    assert collector.drain(1.0, NOW_MS, {"gw-1": Sight.GONE}).lamps.silent.sum() == len(TREE.lamps) / 2
    blind = collector.drain(OVERDUE_S + 1, NOW_MS, dict.fromkeys(TREE.gateways, Sight.UNSEEN)).lamps
    assert not blind.asked.any()


def test_a_lamp_behind_an_open_contactor_is_off_not_silent() -> None:
    collector = Collector(TREE)
    collector.expect(Kind.LAMP, TREE.lamps, 0.0)
    circuit = TREE.circuits[int(TREE.feeder_circuit[TREE.lamp_feeder[0]])]
    closed = {"contactor_closed": np.array([0.0])}
    collector.take(Readings(Kind.CIRCUIT, [circuit], np.array([NOW_MS]), closed, np.zeros(1, np.uint8)), 0.0)
    collector.take(lamps(NOW_MS, np.nan, quality=Quality.STALE), 0.0)
    for _ in range(2):
        assert not collector.drain(0.0, NOW_MS, {}).lamps.silent.any()


def test_a_meter_that_has_nothing_new_to_say_says_the_same() -> None:
    collector = Collector(TREE)
    told = Readings(Kind.CABINET, ["cab-1"], np.array([NOW_MS]), {"power_a_w": np.array([7.0])}, np.zeros(1, np.uint8))
    collector.take(told, 0.0)
    for step in range(3):
        cabinets = collector.drain(0.0, NOW_MS + step, {}).cabinets
        assert cabinets.answered.tolist() == [True, False]
        assert cabinets.column("power_a_w")[0] == 7.0
    assert cabinets.time_ms[0] == NOW_MS + 2


def test_late_readings_come_back_in_order_and_once() -> None:
    late = Late(60_000)
    late.take(lamps(NOW_MS + 120_000, 3.0))
    late.take(lamps(NOW_MS, 1.0, 2.0))
    steps = [(samples.late, samples.lamps.column("power_w")[0]) for samples, _ in late.steps(TREE)]
    assert steps == [(True, 1.0), (True, 3.0)]
    assert list(late.steps(TREE)) == []


def test_a_checkpoint_is_read_as_it_was_written_and_a_broken_one_is_none(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path, "diagnosis")
    assert kept.read() is None
    kept.write(Checkpoint(7, {"a": np.arange(3), "names": np.array(["x", "灯"])}))
    read = kept.read()
    assert read is not None
    assert (read.time_ms, read.state["a"].tolist(), read.state["names"].tolist()) == (7, [0, 1, 2], ["x", "灯"])
    file = tmp_path / "diagnosis.npz"
    file.write_bytes(file.read_bytes()[:-40])
    assert kept.read() is None


def test_who_was_silent_before_a_restart_is_silent_after_it_unless_its_whole_gateway_was() -> None:
    collector = Collector(TREE)
    collector.expect(Kind.LAMP, TREE.lamps, 0.0)
    before = TREE.lamp_gateway == TREE.gateways.index("gw-2")
    before[0] = True
    collector.still_silent(before)
    assert collector.drain(1.0, NOW_MS, {}).lamps.silent.nonzero()[0].tolist() == [0]
    collector.take(lamps(NOW_MS, 10.0), 2.0)
    assert not collector.drain(2.0, NOW_MS, {}).lamps.silent.any()
