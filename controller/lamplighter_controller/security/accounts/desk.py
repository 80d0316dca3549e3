"""Where people log in, and where accounts are made, changed and ended."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from lamplighter_contract.clock import Clock
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.security import audit
from lamplighter_controller.security.accounts import codes, records, sessions
from lamplighter_controller.security.accounts.account import Account
from lamplighter_controller.security.accounts.passwords import Passwords
from lamplighter_controller.security.accounts.records import By, Secrets
from lamplighter_controller.security.accounts.throttle import Throttle
from lamplighter_controller.security.callers import Caller
from lamplighter_controller.security.rights import Grant

FIRST_PASSWORD_BYTES: Final = 15
IDENTITY_BYTES: Final = 8

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Login:
    """What somebody gives to log in."""

    name: str
    password: str
    code: str
    address: str


@dataclass(frozen=True, slots=True)
class Entered:
    """A login that was right."""

    caller: Caller
    reference: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Too many tries: nothing was looked at."""

    seconds: float


class Taken(ControllerError):
    """The code was taken by another login at the same moment."""


class AccountDesk:
    """Accounts over the ledger. Every method may raise LedgerUnavailable."""

    def __init__(self, ledger: Ledger, clock: Clock, key: bytes, controller: str, random: Random) -> None:
        """`key` seals the secrets of one-time codes."""
        self._ledger, self._clock, self._key, self._controller, self._random = ledger, clock, key, controller, random
        self._throttle = Throttle()
        self.passwords = Passwords()

    async def login(self, tried: Login) -> Entered | Wait | None:
        """A session when name, password and code are right; None when any of them is wrong, and nothing tells which."""
        wait_s = self._throttle.wait_s(tried.name, tried.address, self._clock.monotonic_s())
        if wait_s > 0:
            return Wait(wait_s)
        found = await self._ledger.read(lambda connection: records.find(connection, tried.name))
        fits = await self.passwords.fits(found[1].password if found else None, tried.password)
        if found is None or not fits or found[0].disabled_ms is not None:
            return None
        account, secrets = found
        step = self._step(account, secrets.code, tried.code, secrets.step) if secrets.code else None
        if secrets.code and step is None:
            return None
        return await self._enter(account, step, tried.address)

    async def known(self, name: str) -> bool:
        """True when there is an account of that name."""
        return await self._ledger.read(lambda connection: records.find(connection, name)) is not None

    async def create(self, name: str, grants: Sequence[Grant], who: str, reason: str) -> str | None:
        """A new account's first password, seen this one time; None when the name was ever used."""
        password, by = self._first_password(), self._by(who, reason)
        kept, identity = await self.passwords.hash(password), self._random(IDENTITY_BYTES).hex()
        made = await self._ledger.write(lambda connection: records.create(connection, identity, name, grants, kept, by))
        return password if made else None

    async def grant(self, account: Account, grants: Sequence[Grant], who: str, reason: str) -> None:
        """Other roles, from now on; sessions go on with what the account may do now."""
        by = self._by(who, reason)
        await self._ledger.write(lambda connection: records.set_grants(connection, account, grants, by))

    async def reset(self, account: Account, who: str, reason: str) -> str:
        """A new first password, seen this one time; codes are forgotten and sessions end."""
        password, by = self._first_password(), self._by(who, reason)
        kept = await self.passwords.hash(password)

        def work(connection: Connection) -> None:
            records.reset(connection, account, kept, by)
            sessions.end_all(connection, account.id)

        await self._ledger.write(work)
        return password

    async def disable(self, account: Account, who: str, reason: str) -> None:
        """It may do nothing from now on."""
        by = self._by(who, reason)

        def work(connection: Connection) -> None:
            records.disable(connection, account, by)
            sessions.end_all(connection, account.id)

        await self._ledger.write(work)

    async def change_password(self, caller: Caller, old: str, new: str, address: str, reference: str) -> bool | Wait:
        """False when the old one is wrong; the account's other sessions end."""
        wait_s = self._throttle.wait_s(caller.name, address, self._clock.monotonic_s())
        if wait_s > 0:
            return Wait(wait_s)
        account, secrets = await self._own(caller)
        if not await self.passwords.fits(secrets.password, old):
            return False
        kept, by = await self.passwords.hash(new), self._by(account.who, "")

        def work(connection: Connection) -> None:
            records.set_password(connection, account, kept, by)
            sessions.end_all(connection, account.id, but=reference)

        await self._ledger.write(work)
        return True

    async def begin_code(self, caller: Caller) -> tuple[str, str] | None:
        """A new secret for an authenticator, and its address; None when the account has one: that takes a reset."""
        account, secrets = await self._own(caller)
        if secrets.code is not None:
            return None
        secret = codes.make_secret(self._random)
        sealed = codes.seal(self._key, account.id, secret, self._random)
        await self._ledger.write(lambda connection: records.begin_code(connection, account, sealed))
        return secret, codes.address_of(secret, account.name, self._controller)

    async def confirm_code(self, caller: Caller, code: str, address: str) -> bool | Wait:
        """True when the code is one of the secret that was begun; it is in force from now on."""
        wait_s = self._throttle.wait_s(caller.name, address, self._clock.monotonic_s())
        if wait_s > 0:
            return Wait(wait_s)
        account, secrets = await self._own(caller)
        step = self._step(account, secrets.pending, code, records.NEVER)
        if step is None or secrets.pending is None:
            return False
        pending, by = secrets.pending, self._by(account.who, "")
        await self._ledger.write(lambda connection: records.confirm_code(connection, account, pending, step, by))
        return True

    async def find(self, name: str) -> Account | None:
        """The account of a name, disabled or not."""
        found = await self._ledger.read(lambda connection: records.find(connection, name))
        return found[0] if found else None

    async def every(self) -> list[Account]:
        """All accounts ever made, by name."""
        return await self._ledger.read(records.every)

    async def _enter(self, account: Account, step: int | None, address: str) -> Entered | None:
        caller, by = records.as_caller(account), self._by(account.who, "")

        def work(connection: Connection) -> str:
            if step is not None and not records.take_code(connection, account.id, step):
                raise Taken
            audit.record(
                connection,
                who=account.who,
                action="session.begin",
                subject=f"account:{account.name}",
                reason="",
                result="done",
                time_ms=by.time_ms,
                detail={"address": address},
            )
            return sessions.begin(connection, caller, address, by.time_ms, self._random)

        try:
            return Entered(caller, await self._ledger.write(work))
        except Taken:
            return None

    def _step(self, account: Account, sealed: str | None, code: str, after: int) -> int | None:
        if sealed is None:
            return None
        secret = codes.unseal(self._key, account.id, sealed)
        return codes.step_of(secret, code, self._clock.wall_ms(), after)

    async def _own(self, caller: Caller) -> tuple[Account, Secrets]:
        identity = caller.account
        assert identity is not None
        found = await self._ledger.read(lambda connection: records.by_id(connection, identity))
        assert found is not None
        return found

    def _by(self, who: str, reason: str) -> By:
        return By(who, reason, self._clock.wall_ms())

    def _first_password(self) -> str:
        return base64.b32encode(self._random(FIRST_PASSWORD_BYTES)).decode().rstrip("=").lower()
