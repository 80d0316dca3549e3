"""The audit trail as a whole: checked from its first row to its last, and handed out with a signed end.

A trail may have millions of rows, so it is read some thousands at a time, each time in a transaction of its own.
"""

from collections.abc import AsyncIterator
from functools import partial

import orjson

from lamplighter_controller.ledger.engine import Ledger
from lamplighter_controller.security import audit
from lamplighter_controller.security.chain import Tampered, Walk
from lamplighter_controller.security.keys import Keys
from lamplighter_controller.security.trail_file import heading, signed_end


async def verify(ledger: Ledger) -> Tampered | None:
    """None when the trail is whole from its first row to the one that was its last when the walk began.

    Raises:
        LedgerUnavailable: the database does not answer.
    """
    end, walk = await ledger.read(audit.head), Walk()
    while walk.number < end.number:
        reached = walk.number
        tampered = await ledger.read(partial(audit.go_on, walk=walk, until=end.number))
        if tampered is not None:
            return tampered
        if walk.number == reached:
            break
    return walk.at_end(end.number, end.row_sha256)


async def exported(ledger: Ledger, controller: str, keys: Keys, wall_ms: int) -> AsyncIterator[bytes]:
    """The trail as lines: a heading, every row, and the end with its signature and the keys in force.

    Raises:
        LedgerUnavailable: the database does not answer.
    """
    end, number = await ledger.read(audit.head), 0
    yield heading(controller)
    while number < end.number:
        rows = await ledger.read(partial(audit.rows_after, number=number, until=end.number))
        if not rows:
            break
        number = rows[-1][0]
        yield b"".join(orjson.dumps(row) + b"\n" for row in rows)
    yield signed_end(controller, end, keys, wall_ms)
