"""Fixtures of the controller's tests."""

from pathlib import Path

import pytest

from lamplighter_controller.ledger.engine import open_ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request, tmp_path: Path) -> str:
    """An empty ledger's URL, once per database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def ledger(ledger_url):
    """An open, empty ledger, once per database."""
    opened = await open_ledger(ledger_url)
    yield opened
    await opened.close()
