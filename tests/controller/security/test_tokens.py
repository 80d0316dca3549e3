"""API tokens are shown once, stored as a hash, and end when revoked."""

import os

import pytest
from sqlalchemy import text

from lamplighter_contract.errors import Refusal
from lamplighter_controller.security import audit, tokens
from lamplighter_controller.security.rights import Right, Scope

NOW_MS = 5_000


def create(name, *rights):
    return lambda connection: tokens.create(
        connection, name, rights, who="user:li", reason="for the phones", time_ms=1000, random=os.urandom
    )


def check(presented):
    return lambda connection: tokens.check(connection, presented, NOW_MS)


def in_force(presented):
    return lambda connection: tokens.in_force(connection, presented.partition(".")[0], NOW_MS)


def revoke(name):
    return lambda connection: tokens.revoke(connection, name, who="user:li", reason="lost phone", time_ms=2000)


async def test_a_token_is_known_by_its_text(ledger):
    text_of_it = await ledger.write(create("phone-1", Right.READ, Right.COMMAND))
    token = await ledger.read(check(text_of_it))
    assert token.who == "token:phone-1"
    assert token.rights == {Right.READ, Right.COMMAND}
    assert (token.created_by, token.created_ms, token.revoked_ms) == ("user:li", 1000, None)


async def test_the_secret_is_long_and_nowhere_in_the_ledger(ledger):
    presented = await ledger.write(create("phone-1", Right.ADMIN))
    secret = presented.split(".")[1]
    assert len(secret) * 6 >= 256
    rows = await ledger.read(lambda connection: connection.execute(text("SELECT * FROM api_token")).all())
    trail = await ledger.read(audit.newest)
    assert secret not in str(rows)
    assert secret not in str(trail)


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "x", lambda t: t.split(".")[0], lambda t: "x" + t])
async def test_anything_else_is_nobody(ledger, change):
    presented = await ledger.write(create("phone-1", Right.READ))
    assert await ledger.read(check(change(presented))) is None


@pytest.mark.parametrize("presented", ["", ".", "nobody.nothing", "a" * 10_000, "\x00.\x00", "灯.灯"])
async def test_nonsense_is_nobody(ledger, presented):
    assert await ledger.read(check(presented)) is None


async def test_a_token_is_found_by_its_id_while_it_is_in_force(ledger):
    presented = await ledger.write(create("phone-1", Right.READ))
    await ledger.write(create("phone-2", Right.READ))
    assert (await ledger.read(in_force(presented))).name == "phone-1"
    await ledger.write(revoke("phone-1"))
    assert await ledger.read(in_force(presented)) is None


async def test_a_revoked_token_is_nobody_and_its_name_is_not_given_again(ledger):
    presented = await ledger.write(create("phone-1", Right.READ))
    assert await ledger.write(revoke("phone-1"))
    assert await ledger.read(check(presented)) is None
    assert not await ledger.write(revoke("phone-1"))
    assert isinstance(await ledger.write(create("phone-1", Right.READ)), Refusal)
    assert [(token.name, token.revoked_ms) for token in await ledger.read(tokens.every)] == [("phone-1", 2000)]


@pytest.mark.parametrize("name", ["", "Phone", "a b", "x" * 65])
async def test_a_name_is_well_formed(ledger, name):
    assert isinstance(await ledger.write(create(name, Right.READ)), Refusal)


async def test_making_and_ending_a_token_is_in_the_trail(ledger):
    await ledger.write(create("phone-1", Right.READ))
    await ledger.write(revoke("phone-1"))
    found = [(row.entry.action, row.entry.subject, row.entry.who) for row in await ledger.read(audit.newest)]
    assert found == [("token.revoke", "token:phone-1", "user:li"), ("token.create", "token:phone-1", "user:li")]


async def test_a_token_ends_at_its_time(ledger):
    presented = await ledger.write(
        lambda c: tokens.create(
            c, "summer", [Right.READ], who="x", reason="x", time_ms=1, random=os.urandom, expires_ms=NOW_MS
        )
    )
    assert await ledger.read(check(presented)) is None
    assert await ledger.read(in_force(presented)) is None
    assert await ledger.read(lambda c: tokens.check(c, presented, NOW_MS - 1)) is not None


async def test_a_token_keeps_its_scope(ledger):
    scope = Scope(companies=frozenset({"c-2", "c-1"}))
    presented = await ledger.write(
        lambda c: tokens.create(
            c, "depot", [Right.READ], who="x", reason="x", time_ms=1, random=os.urandom, scope=scope
        )
    )
    assert (await ledger.read(check(presented))).scope == scope
