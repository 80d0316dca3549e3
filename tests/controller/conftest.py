"""Fixtures of the controller's tests."""

from pathlib import Path

import pytest

from lamplighter_controller.ledger.engine import open_ledger
from tests.controller.ledgers import migrated_database, sqlite_in


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request, tmp_path: Path) -> str:
    """An empty ledger's URL, once per database."""
    if request.param == "sqlite":
        return sqlite_in(tmp_path)
    postgres = request.getfixturevalue("postgres")
    return str(postgres.create_database(migrated_database(postgres)))


@pytest.fixture
async def ledger(ledger_url):
    """An open, empty ledger, once per database."""
    opened = await open_ledger(ledger_url)
    yield opened
    await opened.close()
