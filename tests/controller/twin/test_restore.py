"""The twin after a restart: devices from the ledger, values from the series, live readings not overwritten."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.series.port import Readings, Series
from lamplighter_controller.twin import store
from lamplighter_controller.twin.columns import Twin
from lamplighter_controller.twin.restore import restore_devices, restore_values
from tests.controller.ledgers import open_in


def entry(name: str, kind: Kind = Kind.LAMP) -> DeviceEntry:
    return DeviceEntry(name, kind, "lamp-single", "bus:1", ("light.set",), {"zh": "灯"}, 36.65, 117.12)


def readings(device: str, time_ms: int, power_w: float) -> Readings:
    return Readings(Kind.LAMP, [device], np.array([time_ms]), {"power_w": np.array([power_w])}, np.zeros(1, np.uint8))


class LastSeries:
    """Answers `last` only."""

    async def last(self, kind: Kind, since_ms: int) -> Readings:
        assert kind is Kind.LAMP
        assert since_ms < 1_000
        found = readings("lamp-1", 500, 55.0)
        return replace(found, values={**found.values, "desired_percent": np.array([30.0])})


async def test_devices_are_kept_as_they_were_told_and_moved_between_gateways(tmp_path: Path) -> None:
    ledger = await open_in(tmp_path)
    many = [entry(f"lamp-{number}") for number in range(1200)]
    for gateway, entries in (
        ("gw-1", many),
        ("gw-1", many),
        ("gw-2", [entry("lamp-0"), entry("cab-1", Kind.CABINET)]),
        ("gw-1", many[1:1000]),
    ):
        await ledger.write(lambda connection, g=gateway, e=entries: store.adopt(connection, g, e, 1))  # type: ignore[misc]  # bound now
    twin = Twin()
    await restore_devices(twin, ledger)
    assert twin.served("gw-1") == {f"lamp-{number}" for number in range(1, 1000)}
    assert twin.served("gw-2") == {"lamp-0", "cab-1"}
    assert twin.entry("lamp-7") == entry("lamp-7")
    await ledger.close()


async def test_values_come_back_as_not_received_and_never_over_newer_ones() -> None:
    twin = Twin()
    twin.adopt("gw-1", [entry("lamp-1")])
    await restore_values(twin, cast("Series", LastSeries()), 1_000)
    state = twin.state("lamp-1")
    assert state is not None
    assert (state.values, state.time_ms, state.received_s) == ({"power_w": 55.0}, 500, None)
    twin.apply(readings("lamp-1", 900, 60.0), 1.0)
    await restore_values(twin, cast("Series", LastSeries()), 1_000)
    state = twin.state("lamp-1")
    assert state is not None
    assert (state.values, state.received_s) == ({"power_w": 60.0}, 1.0)


async def test_what_came_live_is_not_taken_again_from_the_record() -> None:
    twin = Twin()
    twin.adopt("gw-1", [entry("lamp-1")])
    live = readings("lamp-1", 500, 55.0)
    twin.apply(replace(live, values={**live.values, "desired_percent": np.array([80.0])}), 1.0)
    await restore_values(twin, cast("Series", LastSeries()), 1_000)
    state = twin.state("lamp-1")
    assert state is not None
    assert (state.values, state.received_s) == ({"power_w": 55.0, "desired_percent": 80.0}, 1.0)
