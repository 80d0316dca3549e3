"""Where everything hangs: by the inventory where it knows, else by what gateways list."""

import math
from functools import partial
from pathlib import Path

import pytest

from lamplighter_contract.light.signals import Signal
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_controller.config import DiagnosisConfig, ProtectorConfig
from lamplighter_controller.diagnosis.places import CabinetPlace, CircuitPlace, LampPlace, ProtectorPlace
from lamplighter_controller.diagnosis_setup import SupplyMap, rain_told
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.lighting import store
from lamplighter_controller.lighting.adaptive.rules import Weather
from lamplighter_controller.lighting.adaptive.station import Standing
from lamplighter_controller.lighting.inventory import Cabinet, Circuit, Luminaire, Model, Phase, Thing
from lamplighter_controller.twin.columns import Twin
from tests.controller.ledgers import open_in


@pytest.fixture
async def ledger(tmp_path: Path):
    opened = await open_in(tmp_path)
    yield opened
    await opened.close()


def entry(device: str, kind: Kind, address: str) -> DeviceEntry:
    return DeviceEntry(device, kind, "profile", address)


def served(*gateways: tuple[str, list[DeviceEntry]]) -> Twin:
    twin = Twin()
    for gateway, entries in gateways:
        twin.adopt(gateway, entries)
    return twin


@pytest.mark.parametrize(("value", "told"), [(1.0, 1.0), (0.0, 0.0), (None, None)])
async def test_the_weather_signal_of_its_name_says_whether_it_rains(value: float | None, told: float | None) -> None:
    async def standings() -> list[Standing]:
        signal = None if value is None else Signal("rain", value, 2_000_000_000_000)
        return [Standing(Weather("fog"), Signal("fog", 1.0, 2_000_000_000_000)), Standing(Weather("rain"), signal)]

    assert await rain_told(standings, "rain") == pytest.approx(math.nan if told is None else told, nan_ok=True)


async def test_the_inventory_places_lamps_and_models(ledger: Ledger) -> None:
    things: list[list[Thing]] = [
        [Cabinet("cab-1")],
        [Circuit("k-1", "cab-1", Phase.B)],
        [Model("m", 120.0, curve=("10:15", "100:118.5"), clo=("0:80", "20000:100"))],
        [
            Luminaire("pole-lamp", 36.6, 117.0, "lamp-1", circuit="k-1", feeder="f", pole="p", pole_order=3, model="m"),
            Luminaire("without", 36.6, 117.0, circuit="k-1"),
        ],
    ]
    for some in things:
        await ledger.write(partial(store.put, things=some))
    twin = served(("gw", [entry("lamp-1", Kind.LAMP, "bus/1"), entry("cab-1", Kind.CABINET, "bus/240")]))
    config = DiagnosisConfig(isolates=("cab-1",), protectors=(ProtectorConfig(id="rcd", cabinet="cab-1"),))
    supply = await SupplyMap(ledger, twin, config).find()
    assert set(supply.places.lamps) == {
        LampPlace("lamp-1", "lamp-1", "cab-1", "k-1", "b", "f", "p", 3, "m", "gw"),
        LampPlace("without", "", "cab-1", "k-1", "b"),
    }
    assert supply.places.cabinets == (CabinetPlace("cab-1", "cab-1", "", "gw", isolates=True),)
    assert supply.places.circuits == (CircuitPlace("k-1", "cab-1", "b"),)
    assert supply.places.protectors == (ProtectorPlace("rcd", "cab-1"),)
    assert supply.models["m"].curve == ((10.0, 15.0), (100.0, 118.5))
    assert supply.models["m"].clo == ((0.0, 80.0), (20000.0, 100.0))


async def test_without_an_inventory_the_bus_says_which_supply_point_it_is(ledger: Ledger) -> None:
    twin = served(
        (
            "gw-1",
            [
                entry("cab-01", Kind.CABINET, "one/240"),
                entry("cab-02", Kind.CABINET, "two/240"),
                entry("k-1", Kind.CIRCUIT, "one/240"),
                entry("lamp-1", Kind.LAMP, "two/1"),
                entry("lamp-2", Kind.LAMP, "field/x"),
            ],
        ),
        ("gw-2", [entry("cab-03", Kind.CABINET, "three/240"), entry("lamp-3", Kind.LAMP, "field/y")]),
    )
    supply = await SupplyMap(ledger, twin, DiagnosisConfig()).find()
    assert {lamp.id: (lamp.cabinet, lamp.gateway) for lamp in supply.places.lamps} == {
        "lamp-1": ("cab-02", "gw-1"),
        "lamp-2": ("", "gw-1"),
        "lamp-3": ("cab-03", "gw-2"),
    }
    assert supply.places.circuits == (CircuitPlace("k-1", "cab-01", "", "gw-1"),)
