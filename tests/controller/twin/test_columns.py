"""The twin: newest wins, unknown stays unknown, who serves what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.series.port import Readings
from lamplighter_controller.twin.columns import Twin

NAN = float("nan")


def entries(*names: str, kind: Kind = Kind.LAMP) -> list[DeviceEntry]:
    return [DeviceEntry(name, kind, "lamp-single", "bus:1") for name in names]


def readings(*rows: tuple[str, int, float]) -> Readings:
    device, time_ms, power_w = zip(*rows, strict=True)
    return Readings(
        Kind.LAMP, device, np.array(time_ms), {"power_w": np.array(power_w, float)}, np.zeros(len(rows), np.uint8)
    )


def values(twin: Twin, device: str) -> dict[str, float]:
    state = twin.state(device)
    assert state is not None
    return state.values


def test_a_device_never_read_is_unknown_not_zero() -> None:
    twin = Twin()
    twin.adopt("gw-1", entries("a"))
    twin.apply(readings(("b", 1, 5.0)), 1.0)
    state = twin.state("a")
    assert state is not None
    assert (state.values, state.time_ms, state.received_s) == ({}, 0, None)
    assert twin.state("b") is None


def test_older_readings_change_nothing_and_gaps_leave_the_last_value() -> None:
    twin = Twin()
    twin.adopt("gw-1", entries("a"))
    twin.apply(readings(("a", 10, 1.0)), 1.0)
    twin.apply(readings(("a", 9, 2.0)), 2.0)
    assert values(twin, "a") == {"power_w": 1.0}
    twin.apply(readings(("a", 11, NAN)), 3.0)
    state = twin.state("a")
    assert state is not None
    assert (state.values, state.time_ms, state.received_s) == ({"power_w": 1.0}, 11, 3.0)


@pytest.mark.parametrize("said", [{"power_w": 2.0, "desired_percent": NAN}, {"power_w": 2.0}])
def test_a_wish_ends_with_the_first_reading_that_comes_without_it(said: dict[str, float]) -> None:
    twin = Twin()
    twin.adopt("gw-1", entries("a", "b"))
    wished = {"power_w": np.array([1.0, 1.0]), "desired_percent": np.array([30.0, 40.0])}
    twin.apply(Readings(Kind.LAMP, ["a", "b"], np.array([10, 10]), wished, np.zeros(2, np.uint8)), 1.0)
    later = {name: np.array([value]) for name, value in said.items()}
    twin.apply(Readings(Kind.LAMP, ["a"], np.array([9]), later, np.zeros(1, np.uint8)), 2.0)
    assert values(twin, "a") == {"power_w": 1.0, "desired_percent": 30.0}  # older readings end nothing
    twin.apply(Readings(Kind.LAMP, ["a"], np.array([11]), {}, np.array([Quality.STALE], np.uint8)), 3.0)
    assert values(twin, "a") == {"power_w": 1.0, "desired_percent": 30.0}  # nor does silence
    twin.apply(Readings(Kind.LAMP, ["a"], np.array([12]), later, np.zeros(1, np.uint8)), 4.0)
    assert values(twin, "a") == {"power_w": 2.0}
    assert values(twin, "b") == {"power_w": 1.0, "desired_percent": 40.0}


def test_a_device_that_does_not_answer_is_stale_and_keeps_the_age_of_what_it_said() -> None:
    twin = Twin()
    twin.adopt("gw-1", entries("a", "b"))
    twin.apply(readings(("a", 10, 1.0), ("b", 10, 2.0)), 1.0)
    seen = twin.version
    silence = Readings(Kind.LAMP, ["a"], np.array([20]), {}, np.array([Quality.STALE], np.uint8))
    twin.apply(silence, 2.0)
    state = twin.state("a")
    assert state is not None
    assert (state.values, state.time_ms, state.received_s, state.quality) == ({"power_w": 1.0}, 10, 1.0, Quality.STALE)
    assert list(twin.changed_since(seen)[Kind.LAMP]) == [0]
    twin.apply(readings(("a", 30, 3.0)), 3.0)
    state = twin.state("a")
    assert state is not None
    assert (state.values, state.quality) == ({"power_w": 3.0}, 0)
    kept = Readings(Kind.LAMP, ["a"], np.array([40]), {"power_w": np.array([4.0])}, np.array([Quality.STALE], np.uint8))
    twin.apply(kept, 4.0)  # an old report, such as one a broker kept
    state = twin.state("a")
    assert state is not None
    assert (state.values, state.time_ms, state.quality) == ({"power_w": 4.0}, 40, Quality.STALE)


@given(
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(1, 9), st.sampled_from([1.0, 2.0, NAN])), min_size=1)
)
def test_one_big_batch_is_like_the_rows_in_order_of_time(rows: list[tuple[str, int, float]]) -> None:
    at_once, one_by_one = Twin(), Twin()
    for twin in (at_once, one_by_one):
        twin.adopt("gw-1", entries(*"abcdefgh"))
    at_once.apply(readings(*rows), 1.0)
    for row in sorted(rows, key=lambda row: row[1]):
        one_by_one.apply(readings(row), 1.0)
    for device in "abcdefgh":
        assert at_once.state(device) == one_by_one.state(device)


def test_a_gateway_s_list_replaces_its_former_one() -> None:
    twin = Twin()
    twin.adopt("gw-1", entries("a", "b"))
    twin.apply(readings(("a", 1, 1.0)), 1.0)
    assert twin.adopt("gw-1", entries("b")) == []
    assert twin.gateway_of("a") is None
    assert twin.entry("a") is None
    assert twin.rows("gw-1", Kind.LAMP, ["a", "b"]).tolist() == [-1, 1]
    twin.adopt("gw-1", entries("a", "b"))
    assert values(twin, "a") == {"power_w": 1.0}


def test_a_device_claimed_by_two_is_served_by_the_one_that_spoke_last() -> None:
    twin = Twin()
    twin.adopt("gw-1", entries("a", "b"))
    assert twin.adopt("gw-2", entries("a")) == ["a"]
    assert twin.gateway_of("a") == "gw-2"
    assert twin.adopt("gw-1", entries("b")) == []
    assert twin.gateway_of("a") == "gw-2"
    assert twin.rows("gw-1", Kind.LAMP, ["a"]).tolist() == [-1]
    assert twin.rows("gw-3", Kind.LAMP, ["a"]).tolist() == [-1]


def test_a_device_that_changes_its_kind_moves() -> None:
    twin = Twin()
    twin.adopt("gw-1", entries("a"))
    twin.adopt("gw-1", entries("a", kind=Kind.CABINET))
    assert twin.rows("gw-1", Kind.LAMP, ["a"]).tolist() == [-1]
    assert twin.rows("gw-1", Kind.CABINET, ["a"]).tolist() == [0]


def test_rows_changed_since_a_version() -> None:
    twin = Twin()
    twin.adopt("gw-1", entries("a", "b"))
    version = twin.version
    assert twin.changed_since(version) == {}
    twin.apply(readings(("b", 1, 1.0)), 1.0)
    changed = twin.changed_since(version)
    assert {kind: rows.tolist() for kind, rows in changed.items()} == {Kind.LAMP: [1]}


def test_columns_grow_and_keep_what_they_hold() -> None:
    twin = Twin()
    names = [f"lamp-{number}" for number in range(1000)]
    for end in (10, 100, 1000):
        twin.adopt("gw-1", entries(*names[:end]))
        twin.apply(readings(*((name, end, float(end)) for name in names[:end])), 1.0)
    snapshot = twin.snapshot(Kind.LAMP)
    assert list(snapshot.ids) == names
    assert snapshot.values["power_w"].tolist() == [1000.0] * 1000
    assert {snapshot.gateways[number] for number in snapshot.gateway.tolist()} == {"gw-1"}


def test_rows_of_devices_no_longer_served_go_to_new_ones_which_begin_unknown() -> None:
    twin = Twin()
    twin.adopt("gw-1", entries("a", "b"))
    twin.apply(readings(("a", 5, 1.0), ("b", 5, 2.0)), 1.0)
    twin.adopt("gw-1", entries("b"))
    seen = twin.version
    twin.adopt("gw-1", entries("b", "c"))
    snapshot = twin.snapshot(Kind.LAMP)
    assert list(snapshot.ids) == ["c", "b"]
    state = twin.state("c")
    assert state is not None
    assert (state.values, state.time_ms, state.received_s, state.quality) == ({}, 0, None, 0)
    assert twin.changed_since(seen)[Kind.LAMP].tolist() == [0]
    assert twin.rows("gw-1", Kind.LAMP, ["a", "b", "c"]).tolist() == [-1, 1, 0]
    twin.apply(readings(("a", 6, 9.0)), 2.0)  # of nobody any more
    assert values(twin, "c") == {}
    assert values(twin, "b") == {"power_w": 2.0}


def test_ever_new_lists_cost_no_more_than_the_longest() -> None:
    twin = Twin()
    for number in range(20):
        kind = Kind.LAMP if number % 4 else Kind.CABINET
        twin.adopt("gw-1", entries(*(f"lamp-{number}-{n}" for n in range(500)), kind=kind))
    assert len(twin.entries()) == 500
    assert sum(len(twin.snapshot(kind).ids) for kind in Kind) <= 2 * 1000


def test_a_sensor_may_not_name_quantities_without_end() -> None:
    twin = Twin()
    twin.adopt("gw-1", entries("a", kind=Kind.SENSOR))
    for number in range(1000):
        named = {f"value_{number}": np.array([1.0])}
        twin.apply(Readings(Kind.SENSOR, ["a"], np.array([number]), named, np.zeros(1, np.uint8)), 1.0)
    assert len(values(twin, "a")) == 256


@given(st.lists(st.tuples(st.sampled_from(["gw-1", "gw-2"]), st.sets(st.sampled_from("abcdefgh"))), max_size=12))
def test_every_served_device_has_a_row_of_its_own_and_only_its_own_values(lists: list[tuple[str, set[str]]]) -> None:
    twin = Twin()
    for time_ms, (gateway, names) in enumerate(lists, start=1):
        twin.adopt(gateway, entries(*sorted(names)))
        served = [entry.device for entry in twin.entries()]
        ids = twin.snapshot(Kind.LAMP).ids
        assert len(set(ids)) == len(ids) <= 8
        for device in served:
            assert set(values(twin, device).values()) <= {float(ord(device))}
        if served:
            twin.apply(readings(*((device, time_ms, float(ord(device))) for device in served)), 1.0)
