"""An instruction to its end: each message acknowledged, what was set read back."""

from collections.abc import Mapping
from typing import Any, Final

from lamplighter_contract.clock import Clock
from lamplighter_gateway.drivers.jt808.connection import Connection, accepted
from lamplighter_gateway.drivers.jt808.fencing import Message
from lamplighter_gateway.drivers.jt808.instructing import Instruction
from lamplighter_gateway.drivers.port import Instructed, Outcome, Value

TOLD: Final = 0x0104
LEAST_S: Final = 0.1
MOST_TOLD: Final = 64


async def carry_out(wanted: Instruction, connection: Connection, clock: Clock, timeout_s: float) -> Instructed:
    """Send and wait; an acknowledgement alone is `applied`, what was read back is `verified`."""
    end_s = clock.monotonic_s() + timeout_s
    for message, body in wanted.messages:
        answer = await connection.ask(message, body, max(LEAST_S, end_s - clock.monotonic_s()))
        if answer is None:
            return Instructed(Outcome.UNCONFIRMED, "no answer from the terminal")
        if not accepted(answer):
            return Instructed(Outcome.FAILED, f"the terminal refused 0x{message:04x} with {answer.result}")
    if wanted.question is None:
        return Instructed(Outcome.APPLIED)
    return await _read_back(wanted, wanted.question, connection, max(LEAST_S, end_s - clock.monotonic_s()))


async def _read_back(wanted: Instruction, question: Message, connection: Connection, timeout_s: float) -> Instructed:
    message, body = question
    answer = await connection.ask(message, body, timeout_s, wants=TOLD)
    if answer is None:
        return Instructed(Outcome.UNCONFIRMED, "the terminal does not tell its parameters")
    if answer.message != TOLD:
        return Instructed(Outcome.FAILED, f"the terminal refused 0x{message:04x} with {answer.result}")
    told = _told(answer.body)
    wrong = [name for name, value in (wanted.expected or {}).items() if told.get(name) != value]
    if wrong:
        return Instructed(Outcome.FAILED, f"acknowledged, but not taken: {', '.join(wrong)}", told)
    return Instructed(Outcome.VERIFIED, "", told)


def _told(body: Mapping[str, Any]) -> dict[str, Value]:
    """Parameters by their number: values where their meaning is known, else hexadecimal text."""
    parameters = body["parameters"][:MOST_TOLD]
    return {one["id"]: one["value"] if "value" in one else one["hex"] for one in parameters}
