"""Results on their way to the spool."""

import asyncio

import orjson

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.results import Result
from lamplighter_contract.commands.states import CommandState
from lamplighter_gateway.commands import answers as module
from lamplighter_gateway.commands.answers import Answers
from lamplighter_gateway.commands.journal import Journal
from lamplighter_gateway.commands.ledger import Change
from tests.gateway.fakes import MemoryLink, until
from tests.gateway.rig import GATEWAY, Centre

CLOCK = ManualClock()


class SlowSpool:
    """Takes results once `open` is set."""

    def __init__(self):
        self.open = asyncio.Event()
        self.told: set[tuple[str, int]] = set()

    async def put(self, _of, body):
        await self.open.wait()
        self.told |= {(result["id"], result["n"]) for result in orjson.loads(body)["results"]}
        return True


async def test_more_results_than_memory_holds_are_told_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    monkeypatch.setattr(module, "NOTE_AFTER_S", 0.01)
    journal, spool = Journal(tmp_path, CLOCK), SlowSpool()
    await journal.open(clock_trusted=True)
    answers = Answers(journal, spool)  # type: ignore[arg-type]  # of a spool it needs `put` only
    running = asyncio.create_task(answers.run())
    command = Centre(MemoryLink(GATEWAY), CLOCK).command(Operation.DEVICE_READ, {}, ("lamp-1",))
    await journal.accept(command, Change(), [], final=False)
    results = [Result(command.id, n, CLOCK.civil_ms(), CommandState.ACCEPTED) for n in range(1, 31)]
    for result in results:
        await answers.tell(result, final=False)
    spool.open.set()
    await until(lambda: len(spool.told) == len(results))
    running.cancel()
    await asyncio.wait([running])
    await journal.close()
