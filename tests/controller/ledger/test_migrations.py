"""Every room's migrations make exactly the tables its store declares."""

import importlib
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

import lamplighter_controller
from lamplighter_controller.ledger.migrate import configuration
from lamplighter_controller.ledger.tables import metadata


def import_stores():
    for folder in map(Path, lamplighter_controller.__path__):
        for store in folder.glob("**/store.py"):
            room = ".".join(store.relative_to(folder).with_suffix("").parts)
            importlib.import_module(f"lamplighter_controller.{room}")


async def test_migrated_tables_are_the_declared_ones(ledger):
    import_stores()
    assert "audit" in metadata.tables

    def differences(connection):
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    assert await ledger.read(differences) == []


async def test_each_room_has_its_own_branch(ledger):
    def labels(connection):
        script = ScriptDirectory.from_config(configuration(connection))
        return {revision.revision: revision.branch_labels for revision in script.walk_revisions()}

    for revision, branch in (await ledger.read(labels)).items():
        assert branch == {revision.rsplit("_", 1)[0]}
