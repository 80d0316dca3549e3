"""What a write answered for is there, whenever the program is killed."""

import asyncio
import sys

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, select

from lamplighter_controller.ledger.engine import open_ledger

things = Table("thing", MetaData(), Column("n", BigInteger, primary_key=True))

WRITER = """
import asyncio, itertools, sys
from sqlalchemy import insert, table, column
from lamplighter_controller.ledger.engine import open_ledger

thing = table("thing", column("n"))

async def write(ledger, n):
    await ledger.write(lambda connection: connection.execute(insert(thing).values(n=n)))
    sys.stdout.write(f"{n}\\n")
    sys.stdout.flush()

async def main(url):
    ledger = await open_ledger(url)
    for start in itertools.count(0, 8):
        await asyncio.gather(*(write(ledger, n) for n in range(start, start + 8)))

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.fault
@pytest.mark.parametrize("answers_before", [3, 50])
async def test_every_answered_write_survives_a_kill(ledger, ledger_url, answers_before):
    await ledger.write(things.create)
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, ledger_url, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    async with asyncio.timeout(30):
        answered = [int(await program.stdout.readline()) for _ in range(answers_before)]
        program.kill()
        answered += [
            int(line) for line in (await program.stdout.read()).splitlines(keepends=True) if line[-1:] == b"\n"
        ]
        await program.wait()
    again = await open_ledger(ledger_url)
    kept = await again.read(lambda connection: set(connection.scalars(select(things.c.n))))
    assert set(answered) <= kept
    await again.write(lambda connection: connection.execute(things.insert().values(n=-1)))
    await again.close()
