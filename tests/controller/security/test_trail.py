"""An exported trail proves itself without a server, and shows what was done to it."""

import json
from functools import partial

import orjson
import pytest
from sqlalchemy import text, update

from lamplighter_contract.commands.signing import KeysDocument, PublicKey, Signer, encode_key
from lamplighter_controller.security import audit, trail
from lamplighter_controller.security.audit import Entry, record_all
from lamplighter_controller.security.keys import Keys
from lamplighter_controller.security.store import audit as table
from lamplighter_controller.security.trail_file import check, end_of

ROOT, SIGNER = Signer("root", bytes(range(32))), Signer("centre-1", bytes(32))
NOW_MS = 1_000


def keys_of(root: Signer, signer: Signer) -> Keys:
    document = KeysDocument(1, (PublicKey(signer.kid, encode_key(signer.public), 0, 2**52),))
    return Keys(signer, root.sign(document.as_json()), root.public)


KEYS = keys_of(ROOT, SIGNER)


def entries(first: int, last: int) -> list[Entry]:
    return [
        Entry("user:li", "plan.publish", f"plan:{n}", "灯 😀 \x7f", "done", n, {"n": n}) for n in range(first, last)
    ]


async def exported(ledger, keys=KEYS) -> list[bytes]:
    parts = [part async for part in trail.exported(ledger, "centre", keys, NOW_MS)]
    return b"".join(parts).splitlines(keepends=True)


@pytest.fixture
async def long_trail(ledger, monkeypatch):
    """A trail that is read in many parts."""
    monkeypatch.setattr(audit.rows_after, "__defaults__", (3,))
    await ledger.write(lambda connection: record_all(connection, entries(1, 9)))
    return ledger


async def test_a_trail_is_checked_part_by_part(long_trail):
    assert await trail.verify(long_trail) is None


async def test_a_row_changed_behind_the_database_is_found(long_trail):
    drop = "audit_append_only ON audit" if "postgresql" in str(await dialect(long_trail)) else "audit_no_update"
    await long_trail.write(lambda connection: connection.execute(text(f"DROP TRIGGER {drop}")))
    await long_trail.write(lambda c: c.execute(update(table).where(table.c.number == 7).values(who="nobody")))
    tampered = await trail.verify(long_trail)
    assert tampered is not None
    assert tampered.number == 7


async def dialect(ledger):
    return await ledger.read(lambda connection: connection.dialect.name)


async def test_an_export_is_whole_and_its_signer_known(long_trail):
    lines = await exported(long_trail)
    assert len(lines) == 8 + 2
    checked = check(lines, ROOT.public)
    assert (checked.rows, checked.wrong, checked.controller, checked.time_ms) == (8, "", "centre", NOW_MS)
    assert checked.signer_known
    assert not check(lines).signer_known


async def test_an_empty_trail_is_whole(ledger):
    assert check(await exported(ledger), ROOT.public).wrong == ""


def edit(place, change):
    def work(lines):
        row = orjson.loads(lines[place])
        change(row)
        return [*lines[:place], orjson.dumps(row) + b"\n", *lines[place + 1 :]]

    return work


@pytest.mark.parametrize(
    ("tamper", "says"),
    [
        (edit(3, lambda row: row.__setitem__(2, "nobody")), "row 3"),
        (edit(3, lambda row: row.pop()), "row 3"),
        (lambda lines: [*lines[:4], *lines[5:]], "row 4"),
        (lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], "row 2"),
        (lambda lines: lines[:-1], "no end"),
        (lambda lines: [*lines[:-2], lines[-1]], "row 8"),
        (lambda lines: [*lines, lines[-2]], "rows follow the end"),
        (edit(-1 + 10, lambda end: end.__setitem__("time_ms", 5)), "the signature does not fit"),
        (lambda _: [b"nonsense\n"], "no end"),
        (lambda _: [], "no end"),
        (lambda lines: [*lines[:2], b"[" * 100_000 + b"\n", *lines[2:]], ""),
    ],
)
async def test_what_was_done_to_an_export_shows(long_trail, tamper, says):
    checked = check(tamper(await exported(long_trail)), ROOT.public)
    assert says in checked.wrong


async def test_an_end_signed_by_a_stranger_is_not_believed(long_trail):
    stranger = keys_of(Signer("root", bytes([9] * 32)), Signer("centre-1", bytes([8] * 32)))
    lines = await exported(long_trail, stranger)
    assert check(lines).wrong == ""
    assert "root key" in check(lines, ROOT.public).wrong


async def test_a_trail_written_anew_does_not_go_on_from_what_was_handed_out(ledger, tmp_path):
    await ledger.write(lambda connection: record_all(connection, entries(1, 4)))
    earlier = end_of((await exported(ledger))[-1])
    await ledger.write(lambda connection: record_all(connection, entries(4, 6)))
    assert check(await exported(ledger), ROOT.public, earlier).wrong == ""
    assert earlier is not None
    forged = audit.Head(earlier.number, "0" * 64)
    assert "earlier" in check(await exported(ledger), ROOT.public, forged).wrong


def test_what_is_no_end_is_none():
    for line in (b"", b"[]", b"{}", json.dumps({"type": "lamplighter-audit-end", "number": "x"}).encode()):
        assert end_of(line) is None


async def test_a_page_of_rows_is_bounded(long_trail):
    assert len(await long_trail.read(partial(audit.rows_after, number=2, until=9))) == 3
