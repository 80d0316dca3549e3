import numpy as np
import pytest

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.assembling import Places, assemble
from lamplighter_controller.diagnosis.places import CabinetPlace, LampPlace
from lamplighter_controller.diagnosis.replay.csv_columns import Table
from lamplighter_controller.diagnosis.replay.levels import levels_of
from lamplighter_controller.diagnosis.replay.steps import Step, Steps, Told
from lamplighter_controller.diagnosis.replay.stream import stream_of

PERIOD_MS = 900_000
START_MS = 1_768_065_300_000 // PERIOD_MS * PERIOD_MS
LAMPS = ("a", "b", "c", "d")


def topology():
    lamps = [LampPlace(one, one, "cab", "loop", "a", "f", f"p{one}", order) for order, one in enumerate(LAMPS)]
    return assemble(Places(lamps=lamps, cabinets=(CabinetPlace("cab", "meter"),)))


def table(rows: list[tuple[str, float, dict[str, float]]]) -> Table:
    """Rows of (device, periods after the start, values)."""
    devices = tuple(dict.fromkeys(device for device, _, _ in rows))
    names = sorted({name for _, _, values in rows for name in values})
    return Table(
        devices,
        np.array([devices.index(device) for device, _, _ in rows]),
        np.array([START_MS + round(at * PERIOD_MS) for _, at, _ in rows]),
        {name: np.array([values.get(name, np.nan) for _, _, values in rows]) for name in names},
    )


def steps(rows, told: Told | None = None) -> list[Step]:
    stream, _ = stream_of(table(rows), topology(), 900)
    return list(Steps(stream, topology(), {}, told or Told()))


def regular(periods: int, *, without: tuple[tuple[str, int], ...] = ()) -> list[tuple[str, float, dict[str, float]]]:
    return [
        (lamp, period + 0.2 + 0.01 * number, {"power_w": 100 + period, "level_percent": 100})
        for period in range(periods)
        for number, lamp in enumerate(LAMPS)
        if (lamp, period) not in without
    ]


def quality(step: Step) -> list[int]:
    bits = step.samples.lamps.quality
    assert bits is not None
    return [int(one) for one in bits]


def test_each_period_is_a_step_and_who_says_nothing_is_silent():
    made = steps(regular(5, without=(("b", 3),)))
    assert [one.now_ms for one in made] == [START_MS + n * PERIOD_MS for n in range(1, 6)]
    assert [list(np.flatnonzero(one.samples.lamps.silent)) for one in made] == [[], [], [], [1], []]
    assert made[2].samples.lamps.column("power_w").tolist() == [102] * 4


def test_who_was_never_heard_has_no_controller():
    made = steps([row for row in regular(4) if row[0] != "c"])
    assert not any(one.samples.lamps.asked[2] for one in made)


def test_what_comes_late_comes_after_the_live_step_and_moves_nothing_else():
    rows = regular(6, without=(("b", 2),))
    rows.insert(18, ("b", 2.21, {"power_w": 7.0}))
    made = steps(rows)
    late = [one for one in made if one.samples.late]
    assert len(late) == 1
    assert late[0].samples.lamps.answered.tolist() == [False, True, False, False]
    assert late[0].now_ms > START_MS + 4 * PERIOD_MS


def test_the_last_of_two_in_one_period_counts():
    made = steps([*regular(2), ("a", 1.5, {"power_w": 55.0})])
    assert made[1].samples.lamps.column("power_w")[0] == 55


def test_a_clock_that_runs_ahead_is_said_to_be_untrusted_and_waits_for_no_one():
    rows = [(d, at + (96 if d == "d" else 0), v) for d, at, v in regular(4)]
    made = steps(rows)
    assert len(made) == 4
    assert all(quality(one)[3] & Quality.CLOCK_UNTRUSTED for one in made)
    assert not any(quality(one)[0] for one in made)


def test_an_absurd_value_is_not_read_and_marked():
    rows = regular(3)
    rows[5] = (rows[5][0], rows[5][1], {"power_w": 1e9})
    step = steps(rows)[1]
    assert np.isnan(step.samples.lamps.column("power_w")[1])
    assert quality(step)[1] & Quality.OUT_OF_RANGE


def test_a_circuit_open_by_plan_is_not_silence():
    commands = levels_of(np.array([0, 0]), np.array([START_MS, START_MS + 3 * PERIOD_MS]), np.array([100.0, 0.0]))
    rows = [*regular(3), *((("meter"), n + 0.5, {"power_w": 5.0}) for n in range(8))]
    made = steps(sorted(rows, key=lambda row: row[1]), Told(circuits=commands))
    assert [int(one.samples.lamps.silent.sum()) for one in made] == [0, 0, 0, 0, 0, 0, 0, 0]
    assert all(one.samples.cabinets.answered[0] for one in made)


def test_commands_hold_until_the_next_and_say_since_when():
    commands = levels_of(np.array([0, 0]), np.array([START_MS, START_MS + PERIOD_MS]), np.array([100.0, 50.0]))
    made = steps(regular(3), Told(lamps=commands))
    assert [float(one.samples.lamps.column("desired_percent")[0]) for one in made] == [100, 50, 50]
    since = made[2].samples.lamps.desired_since_ms
    assert since is not None
    assert since[0] == START_MS + PERIOD_MS


@pytest.mark.parametrize(("power_w", "told"), [(80.0, np.nan), (0.4, 0.0)], ids=["lit at any level", "off"])
def test_without_commands_most_of_the_cabinet_decide(power_w, told):
    odd = 80.4 - power_w
    rows = [(lamp, 0.1, {"power_w": odd if lamp == "d" else power_w}) for lamp in LAMPS]
    (only,) = steps(rows)
    np.testing.assert_array_equal(only.samples.lamps.column("desired_percent"), [told] * 4)


def test_a_file_sorted_by_device_is_brought_into_order_of_time():
    rows = sorted(regular(40), key=lambda row: row[0])
    made = steps(rows)
    assert len(made) == 40
    assert not any(one.samples.late for one in made)


def test_devices_the_topology_does_not_have_are_named():
    _, unknown = stream_of(table([*regular(2), ("stranger", 1.9, {"power_w": 1.0})]), topology(), 900)
    assert unknown == ("stranger",)
    assert len(stream_of(table(regular(1)), topology(), 900)[0].rows[Kind.LAMP]) == 4
