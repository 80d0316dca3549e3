"""Constant and virtual light output get into the plans."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from lamplighter_contract.light.plans.plan import Output, Plan
from lamplighter_controller.lighting import outputs, store
from lamplighter_controller.lighting.compiling import Site, compiled
from lamplighter_controller.lighting.inventory import Burned, Inventory, Luminaire, Model
from lamplighter_controller.lighting.library import PRESETS
from lamplighter_controller.lighting.proof.burning import Burning, Source
from lamplighter_controller.lighting.proof.records import put_burning

COUNTED_MS = round(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
CLO = ("0:80", "20000:100")
LAMPS = ("lamp-1", "lamp-2", "lamp-3")
INVENTORY = Inventory(
    models={"new": Model("new", 120, clo=CLO), "strong": Model("strong", 120, virtual_percent=90.0)},
    luminaires={
        "l-1": Luminaire("l-1", 36.65, 117.12, "lamp-1", model="new"),
        "l-2": Luminaire("l-2", 36.65, 117.12, "lamp-2", model="new", in_service="2025-01-01"),
        "l-3": Luminaire("l-3", 36.65, 117.12, "lamp-3", model="strong"),
    },
)


def test_lamps_whose_age_nobody_knows_give_full_light():
    assert outputs.planned(INVENTORY, LAMPS) == (Output(90.0, 100.0, devices=("lamp-3",)),)


@pytest.mark.parametrize(
    ("burned", "hours"),
    [
        (None, None),
        (Burned(5_000, COUNTED_MS, whole_life=True), 5_000),
        (Burned(100, COUNTED_MS, whole_life=False), 100 + 365 / 365.25 * 4_100),
    ],
)
def test_hours_before_anybody_counted_are_reckoned_from_the_first_day(burned: Burned | None, hours: float | None):
    assert outputs.hours(INVENTORY.luminaires["l-2"], burned) == (None if hours is None else pytest.approx(hours))
    uncounted = Burned(100, COUNTED_MS, whole_life=False)
    assert outputs.hours(INVENTORY.luminaires["l-1"], uncounted) is None


def test_a_plan_holds_new_luminaires_down():
    burned = {"lamp-1": Burned(10_000, 0, whole_life=True), "lamp-2": Burned(10_010, 0, whole_life=True)}
    plan = compiled(
        PRESETS, replace(INVENTORY, burned=burned), Site("gw-1", LAMPS, frozenset(), 36.65, 117.12), "UTC", 1
    )
    assert isinstance(plan, Plan)
    assert plan.outputs == (
        Output(90.0, 100.0, devices=("lamp-3",)),
        Output(100.0, 90.0, devices=("lamp-1", "lamp-2")),
    )


async def test_hours_come_from_what_was_counted(ledger):
    known = Burning("l-1", "lamp-1", Source.COUNTER, COUNTED_MS, COUNTED_MS, burning_h=7_000.0, from_h=2_000.0)
    await ledger.write(lambda connection: put_burning(connection, [known]))
    inventory = await ledger.read(store.inventory)
    assert inventory.burned == {"lamp-1": Burned(5_000.0, COUNTED_MS, whole_life=True)}


async def test_what_burned_before_a_part_was_replaced_is_not_reckoned_from_the_first_day(ledger):
    known = Burning("l-2", "lamp-2", Source.INTEGRATED, COUNTED_MS, COUNTED_MS, burning_h=2_010.0, from_h=2_000.0)
    await ledger.write(lambda connection: put_burning(connection, [known]))
    burned = (await ledger.read(store.inventory)).burned["lamp-2"]
    assert outputs.hours(INVENTORY.luminaires["l-2"], burned) == 10
