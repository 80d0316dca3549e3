"""The audit trail shows every later change to it, on both databases."""

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError

from lamplighter_controller.security.audit import Entry, newest, record, record_all, verify
from lamplighter_controller.security.chain import Tampered
from lamplighter_controller.security.store import audit, audit_head


def entry(n):
    return Entry(
        "user:wang", "command.create", f"command:{n}", "WO-0007 灯", "created", 1000 + n, {"n": n, "灯": [1.5]}
    )


@pytest.fixture
async def trail(ledger):
    await ledger.write(lambda connection: record_all(connection, [entry(n) for n in range(1, 6)]))
    return ledger


def allow_changes(connection):
    """What somebody with the database's own password can do."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP TRIGGER audit_append_only ON audit"))
    else:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("DROP TRIGGER audit_no_delete"))


async def test_what_was_recorded_can_be_read_newest_first(trail):
    found = await trail.read(newest)
    assert [row.entry for row in found] == [entry(n) for n in (5, 4, 3, 2, 1)]
    assert [row.number for row in await trail.read(lambda c: newest(c, before=4, limit=2))] == [3, 2]
    assert [row.number for row in await trail.read(lambda c: newest(c, subject="command:2"))] == [2]


async def test_an_untouched_trail_verifies_and_goes_on(trail):
    assert await trail.read(verify) is None
    await trail.write(lambda c: record(c, who="w", action="a", subject="s\0", reason="r\0", result="done", time_ms=1))
    assert await trail.read(verify) is None
    assert (await trail.read(newest))[0].number == 6


async def test_an_empty_trail_verifies(ledger):
    await ledger.write(lambda connection: record_all(connection, []))
    assert await ledger.read(verify) is None


async def test_nothing_is_recorded_when_the_change_itself_fails(trail):
    def change_that_fails(connection):
        record_all(connection, [entry(6)])
        raise KeyError

    with pytest.raises(KeyError):
        await trail.write(change_that_fails)
    assert len(await trail.read(newest)) == 5
    assert await trail.read(verify) is None


@pytest.mark.parametrize("change", [update(audit).values(who="nobody"), delete(audit)], ids=["update", "delete"])
async def test_the_table_only_takes_additions(trail, change):
    with pytest.raises((DBAPIError, Exception), match="append-only"):
        await trail.write(lambda connection: connection.execute(change))
    assert await trail.read(verify) is None


def swap_two_rows(connection):
    for old, new in ((2, 99), (3, 2), (99, 3)):
        connection.execute(update(audit).where(audit.c.number == old).values(number=new))


def put(column, value):
    return lambda connection: connection.execute(update(audit).where(audit.c.number == 3).values({column: value}))


def remove(*numbers):
    return lambda connection: connection.execute(delete(audit).where(audit.c.number.in_(numbers)))


def empty_head(connection):
    connection.execute(delete(audit))
    connection.execute(update(audit_head).values(number=5))


@pytest.mark.parametrize(
    ("tamper", "found_at"),
    [
        *((put(column, "x"), 3) for column in ("who", "action", "subject", "reason", "result", "detail")),
        (put("time_ms", 7), 3),
        (put("previous_sha256", "0" * 64), 3),
        (put("row_sha256", "0" * 64), 3),
        (remove(3), 3),
        (remove(1), 1),
        (remove(5), 5),
        (swap_two_rows, 2),
        (empty_head, 1),
    ],
)
async def test_tampering_is_found(trail, tamper, found_at):
    await trail.write(allow_changes)
    await trail.write(tamper)
    found = await trail.read(verify)
    assert isinstance(found, Tampered)
    assert found.number == found_at
