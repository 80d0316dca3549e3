"""Accounts in the ledger: every change with its row in the audit trail, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from lamplighter_controller.security import audit
from lamplighter_controller.security.accounts.account import Account
from lamplighter_controller.security.callers import Caller, of_account
from lamplighter_controller.security.rights import Grant
from lamplighter_controller.security.scopes import grants_from, grants_text
from lamplighter_controller.security.store import account as table

NEVER = -1


@dataclass(frozen=True, slots=True)
class By:
    """Who changes it, why, and when in real epoch ms."""

    who: str
    reason: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Secrets:
    """What an account is checked with: the password's hash, the sealed secrets of codes, the last step taken."""

    password: str
    code: str | None
    pending: str | None
    step: int


def create(connection: Connection, identity: str, name: str, grants: Sequence[Grant], password: str, by: By) -> bool:
    """A new account with a password that has to be changed; False when the name was ever used."""
    if connection.execute(select(table.c.id).where(table.c.name == name)).first():
        return False
    connection.execute(
        table.insert().values(
            id=identity,
            name=name,
            grants=grants_text(grants),
            password=password,
            must_change=True,
            code_step=NEVER,
            created_ms=by.time_ms,
            created_by=by.who,
        )
    )
    _record(connection, "account.create", name, by, {"grants": grants_text(grants)})
    return True


def find(connection: Connection, name: str) -> tuple[Account, Secrets] | None:
    """The account of a name, disabled or not."""
    row = connection.execute(select(table).where(table.c.name == name)).first()
    return (_account(row), _secrets(row)) if row else None


def by_id(connection: Connection, identity: str) -> tuple[Account, Secrets] | None:
    """The account of an id, disabled or not."""
    row = connection.execute(select(table).where(table.c.id == identity)).first()
    return (_account(row), _secrets(row)) if row else None


def caller(connection: Connection, identity: str) -> Caller | None:
    """The account of an id as a caller; None when it is disabled or gone."""
    found = by_id(connection, identity)
    if found is None or found[0].disabled_ms is not None:
        return None
    return as_caller(found[0])


def as_caller(account: Account) -> Caller:
    """An account as a caller."""
    return of_account(
        account.id, account.name, account.grants, has_code=account.has_code, must_change=account.must_change
    )


def every(connection: Connection) -> list[Account]:
    """All accounts ever made, by name."""
    return [_account(row) for row in connection.execute(select(table).order_by(table.c.name))]


def set_grants(connection: Connection, account: Account, grants: Sequence[Grant], by: By) -> None:
    """Give an account other roles."""
    _put(connection, account, grants=grants_text(grants))
    detail = {"grants": grants_text(grants), "before": grants_text(account.grants)}
    _record(connection, "account.grant", account.name, by, detail)


def reset(connection: Connection, account: Account, password: str, by: By) -> None:
    """Give it a new first password, and forget its codes."""
    _put(connection, account, password=password, must_change=True, code_secret=None, code_pending=None)
    _record(connection, "account.reset", account.name, by, {})


def disable(connection: Connection, account: Account, by: By) -> None:
    """It may log in no more; its name stays taken, so that the audit trail names one person by it for ever."""
    _put(connection, account, disabled_ms=by.time_ms)
    _record(connection, "account.disable", account.name, by, {})


def set_password(connection: Connection, account: Account, password: str, by: By) -> None:
    """The person's own password."""
    _put(connection, account, password=password, must_change=False)
    _record(connection, "account.password", account.name, by, {})


def begin_code(connection: Connection, account: Account, sealed: str) -> None:
    """A secret that becomes the account's once a code of it was given."""
    _put(connection, account, code_pending=sealed)


def confirm_code(connection: Connection, account: Account, sealed: str, step: int, by: By) -> None:
    """The secret of codes is in force."""
    _put(connection, account, code_secret=sealed, code_pending=None, code_step=step)
    _record(connection, "account.code", account.name, by, {})


def take_code(connection: Connection, identity: str, step: int) -> bool:
    """Note that the code of a step was taken; False when it, or a later one, was taken before."""
    taken = connection.execute(
        update(table).where(table.c.id == identity, table.c.code_step < step).values(code_step=step)
    )
    return taken.rowcount == 1


def _put(connection: Connection, account: Account, **values: Any) -> None:
    connection.execute(update(table).where(table.c.id == account.id).values(**values))


def _account(row: Row[Any]) -> Account:
    return Account(
        row.id,
        row.name,
        grants_from(row.grants),
        bool(row.must_change),
        row.code_secret is not None,
        row.created_ms,
        row.created_by,
        row.disabled_ms,
    )


def _secrets(row: Row[Any]) -> Secrets:
    return Secrets(row.password, row.code_secret, row.code_pending, row.code_step)


def _record(connection: Connection, action: str, name: str, by: By, detail: Mapping[str, Any]) -> None:
    audit.record(
        connection,
        who=by.who,
        action=action,
        subject=f"account:{name}",
        reason=by.reason,
        result="done",
        time_ms=by.time_ms,
        detail=detail,
    )
