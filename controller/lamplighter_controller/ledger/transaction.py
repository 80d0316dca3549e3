"""What a ledger thread does: the work of some calls in one transaction, each undone alone when it fails.

A commit waits for the disk, so writes that wait together are committed together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.ledger.threads import Call

OUR_MISTAKES: Final = (IntegrityError, ProgrammingError, DataError)


@dataclass(frozen=True, slots=True)
class Failed:
    """Work that raised; its changes are undone."""

    error: BaseException


def serve(engine: Engine, calls: Sequence[Call[Any]]) -> None:
    """Do the work of all calls, commit, and only then hand back what came of each."""
    try:
        with engine.begin() as connection:
            outcomes = [_undoable(connection, call) for call in calls] if calls[1:] else [_wanted(connection, calls[0])]
    except BaseException as error:  # noqa: BLE001 - it is raised again where each result is awaited
        for call in calls:
            call.fail(error)
        return
    for call, outcome in zip(calls, outcomes, strict=True):
        if isinstance(outcome, Failed):
            call.fail(outcome.error)
        else:
            call.give(outcome)


def _undoable(connection: Connection, call: Call[Any]) -> Any:
    try:
        with connection.begin_nested():
            return _wanted(connection, call)
    except OUR_MISTAKES as error:
        return Failed(error)
    except DBAPIError:
        raise  # the database itself fails, and with it the whole transaction
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is awaited
        return Failed(error)


def _wanted(connection: Connection, call: Call[Any]) -> Any:
    result = call.work(connection)
    if not call.wanted:  # whoever asked was told that it failed: let that be true
        raise LedgerUnavailable("the transaction was given up")
    return result
