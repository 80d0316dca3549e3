"""A city on each kind of ledger."""

import pytest

from tests.controller.commands.city import City


@pytest.fixture
async def city(ledger):
    """A running dispatch with two gateways."""
    built = City(ledger)
    await built.start()
    yield built
    await built.stop()
