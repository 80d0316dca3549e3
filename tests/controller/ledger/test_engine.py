"""The ledger holds its promises on both databases."""

import asyncio
import threading
from functools import partial

import pytest
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, event, insert, select, text
from sqlalchemy.exc import IntegrityError

from lamplighter_controller.errors import ControllerError
from lamplighter_controller.ledger import databases
from lamplighter_controller.ledger.engine import READERS, Ledger, open_ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable, LedgerUnusable

things = Table("thing", MetaData(), Column("n", BigInteger, primary_key=True))


def make_things(connection):
    things.create(connection)


def numbers(connection):
    return list(connection.scalars(select(things.c.n).order_by(things.c.n)))


@pytest.fixture
async def with_things(ledger):
    await ledger.write(make_things)
    return ledger


async def test_what_was_written_is_there_after_a_restart(with_things, ledger_url):
    await with_things.write(lambda connection: connection.execute(insert(things).values(n=1)))
    await with_things.close()
    again = await open_ledger(ledger_url)
    assert await again.read(numbers) == [1]
    await again.close()


async def test_a_write_that_raises_leaves_nothing(with_things):
    def half(connection):
        connection.execute(insert(things).values(n=1))
        raise KeyError("half way")

    with pytest.raises(KeyError):
        await with_things.write(half)
    assert await with_things.read(numbers) == []


async def test_our_own_mistakes_are_not_called_unavailable(with_things):
    await with_things.write(lambda connection: connection.execute(insert(things).values(n=1)))
    with pytest.raises(IntegrityError):
        await with_things.write(lambda connection: connection.execute(insert(things).values(n=1)))


async def test_a_read_cannot_write(with_things):
    with pytest.raises(Exception, match="read"):
        await with_things.read(lambda connection: connection.execute(insert(things).values(n=1)))
    assert await with_things.read(numbers) == []


async def test_writes_are_taken_one_after_the_other(with_things):
    def add(connection):
        connection.execute(insert(things).values(n=len(numbers(connection))))

    await asyncio.gather(*(with_things.write(add) for _ in range(50)))
    assert await with_things.read(numbers) == list(range(50))


async def test_a_hung_write_gives_up_rolls_back_and_holds_up_nobody(ledger_url):
    url = databases.parse_url(ledger_url)
    ledger = Ledger(databases.writer(url), databases.reader(url, READERS), timeout_s=0.2)
    await ledger.write(make_things)
    released = threading.Event()

    def hang(connection):
        connection.execute(insert(things).values(n=1))
        released.wait(10)

    with pytest.raises(LedgerUnavailable):
        await ledger.write(hang)
    assert await ledger.read(numbers) == []  # readers go on
    with pytest.raises(LedgerUnavailable):  # still hanging: the next one waits in vain and is never run
        await ledger.write(lambda connection: connection.execute(insert(things).values(n=2)))
    released.set()
    await ledger.write(lambda connection: connection.execute(insert(things).values(n=3)))
    assert await ledger.read(numbers) == [3]
    await ledger.close()


async def test_writes_that_wait_together_are_committed_together_and_undone_alone(with_things):
    released = threading.Event()
    transactions = []
    event.listen(with_things._writer, "commit", lambda _connection: transactions.append(1))

    def add(n):
        return with_things.write(lambda connection: connection.execute(insert(things).values(n=n)))

    def fail_after_adding(connection):
        connection.execute(insert(things).values(n=99))
        raise KeyError("half way")

    first = asyncio.create_task(with_things.write(lambda _: released.wait(10)))
    await asyncio.sleep(0.05)
    tasks = [
        asyncio.create_task(write) for write in (add(1), add(2), add(2), with_things.write(fail_after_adding), add(3))
    ]
    await asyncio.sleep(0)
    released.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert await first
    assert [type(outcome) for outcome in outcomes[2:4]] == [IntegrityError, KeyError]
    assert await with_things.read(numbers) == [1, 2, 3]
    assert len(transactions) == 2


async def test_work_that_nobody_waits_for_any_more_is_not_done(with_things):
    released = threading.Event()
    first = asyncio.create_task(with_things.write(lambda _: released.wait(10)))
    second = asyncio.create_task(with_things.write(lambda connection: connection.execute(insert(things).values(n=1))))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    released.set()
    await first
    assert await with_things.read(numbers) == []


async def test_closing_does_not_wait_for_ever(ledger, caplog, monkeypatch):
    monkeypatch.setattr("lamplighter_controller.ledger.threads.JOIN_TIMEOUT_S", 0.1)
    released = threading.Event()
    hanging = asyncio.create_task(ledger.write(lambda _: released.wait(10)))
    await asyncio.sleep(0)
    await ledger.close()
    assert "still owes an answer" in caplog.text
    released.set()
    hanging.cancel()
    await ledger.close()  # by now it can


async def test_opening_twice_is_harmless(ledger, ledger_url):
    again = await open_ledger(ledger_url)
    await again.close()


async def test_a_ledger_of_a_newer_version_is_not_touched(ledger, ledger_url):
    await ledger.write(lambda connection: connection.execute(text("INSERT INTO alembic_version VALUES ('later_0001')")))
    with pytest.raises(LedgerUnusable, match="later_0001"):
        await open_ledger(ledger_url)


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://root:secret@localhost/x"])
async def test_a_wrong_url_is_named_without_its_password(url):
    with pytest.raises(LedgerUnusable, match="expected sqlite") as refused:
        await open_ledger(url)
    assert "secret" not in str(refused.value)
    assert isinstance(refused.value, ControllerError)


async def test_a_damaged_file_is_left_as_it_is(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"no database" * 1000)
    with pytest.raises(LedgerUnusable, match="restore a backup"):
        await open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    assert (tmp_path / "ledger.db").read_bytes() == b"no database" * 1000


async def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LedgerUnusable, match="file"):
        await open_ledger(f"sqlite:///{tmp_path}/file/ledger.db")


async def test_sqlite_is_durable_and_keeps_foreign_keys(tmp_path):
    ledger = await open_ledger(f"sqlite:///{tmp_path}/new/ledger.db")
    for pragma, expected in {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}.items():
        assert await ledger.write(partial(Connection.scalar, statement=text(f"PRAGMA {pragma}"))) == expected
    await ledger.close()


async def test_a_full_disk_is_unavailable_until_there_is_room(tmp_path, caplog):
    ledger = await open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    await ledger.write(make_things)

    def fill(connection):
        connection.execute(insert(things), [{"n": n} for n in range(5_000)])

    pages = await ledger.write(partial(Connection.scalar, statement=text("PRAGMA page_count")))
    await ledger.write(partial(Connection.scalar, statement=text(f"PRAGMA max_page_count = {pages}")))
    with pytest.raises(LedgerUnavailable, match="full"):
        await ledger.write(fill)
    await ledger.write(partial(Connection.scalar, statement=text("PRAGMA max_page_count = 100000")))
    assert await ledger.read(numbers) == []
    await ledger.write(fill)
    assert len(await ledger.read(numbers)) == 5_000
    assert "full" in caplog.text
    await ledger.close()


@pytest.mark.system
async def test_postgresql_gone_and_back(make_postgres, caplog):
    server = make_postgres()
    ledger = await open_ledger(server.create_database())
    await ledger.write(make_things)
    server.kill()
    with pytest.raises(LedgerUnavailable):
        await ledger.write(lambda connection: connection.execute(insert(things).values(n=1)))
    with pytest.raises(LedgerUnavailable):
        await ledger.read(numbers)
    assert caplog.text.count("not available") == 1
    server.start()
    await ledger.write(lambda connection: connection.execute(insert(things).values(n=2)))
    assert "available again" in caplog.text
    assert await ledger.read(numbers) == [2]
    await ledger.close()


@pytest.mark.system
async def test_postgresql_hung_leaves_the_loop_alone(make_postgres):
    server = make_postgres()
    url = databases.parse_url(server.create_database())
    ledger = Ledger(databases.writer(url), databases.reader(url, READERS), timeout_s=0.3)
    await ledger.write(make_things)
    server.pause()
    writing = asyncio.create_task(ledger.write(lambda connection: connection.execute(insert(things).values(n=1))))
    ticks = 0
    while not writing.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks >= 5
    with pytest.raises(LedgerUnavailable):
        await writing
    server.resume()
    async with asyncio.timeout(10):
        while True:
            try:
                await ledger.write(lambda connection: connection.execute(insert(things).values(n=2)))
                break
            except LedgerUnavailable:
                continue
    assert await ledger.read(numbers) == [2]
    await ledger.close()
