"""People with accounts, for tests of what each may do."""

import hashlib
import secrets
from collections.abc import Sequence

import httpx
from sqlalchemy import Connection

from lamplighter_controller.api.guard import COOKIE
from lamplighter_controller.security.accounts import records, sessions
from lamplighter_controller.security.rights import EVERYTHING, Grant, Role, Scope
from lamplighter_controller.security.store import account as table
from tests.controller.api.world import World

ORIGIN = {"Origin": "http://controller"}
NO_PASSWORD = "nobody logs in with this"


class Person:
    """Somebody who has logged in."""

    def __init__(self, world: World, name: str, reference: str) -> None:
        self.world, self.name, self.reference = world, name, reference

    async def asks(self, method: str, path: str, body: object = None) -> httpx.Response:
        headers = ORIGIN | {"Cookie": f"{COOKIE}={self.reference}"}
        return await self.world.client.request(method, f"/api/v1{path}", json=body, headers=headers)

    async def get(self, path: str) -> httpx.Response:
        return await self.asks("GET", path)


async def person(world: World, role: Role, scope: Scope = EVERYTHING) -> Person:
    """Somebody with one role, who has set a password and a code."""
    return await somebody(world, [Grant(role, scope)])


async def somebody(world: World, grants: Sequence[Grant]) -> Person:
    """Somebody with these roles."""
    name = f"p-{hashlib.sha256(repr(grants).encode()).hexdigest()[:8]}-{secrets.token_hex(3)}"
    now_ms = world.clock.wall_ms()

    def work(connection: Connection) -> str:
        records.create(connection, name, name, grants, NO_PASSWORD, records.By("test", "test", now_ms))
        connection.execute(table.update().where(table.c.id == name).values(must_change=False, code_secret="x"))
        caller = records.caller(connection, name)
        assert caller is not None
        return sessions.begin(connection, caller, "10.0.0.1", now_ms, secrets.token_bytes)

    return Person(world, name, await world.ledger.write(work))
