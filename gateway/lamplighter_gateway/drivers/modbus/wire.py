"""One connection to one bus: a question out, its answer or the reason why there is none."""

import logging
from typing import Final, Protocol

from pymodbus.pdu import ModbusPDU

from lamplighter_gateway.drivers.modbus.answers import Cause, Trouble
from lamplighter_gateway.drivers.modbus.hearing import Hearing
from lamplighter_gateway.drivers.modbus.questions import Question
from lamplighter_gateway.drivers.modbus.turnaround import Turnarounds

logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # it logs every failure; the bus logs the first and the last

CONNECT_S: Final = 5.0


class Wire(Protocol):
    """What the bus needs of its connection."""

    hearing: Hearing
    turnarounds: Turnarounds[int]

    @property
    def connected(self) -> bool:
        """True while it is open."""

    async def open(self) -> bool:
        """Open it; False if that did not work within a few seconds."""

    def close(self) -> None:
        """Let go of it."""

    async def ask(self, question: Question, timeout_s: float | None = None) -> ModbusPDU | Trouble:
        """Send the question and wait for its answer, by the bus's own time-out unless told another."""

    async def tell_all(self, question: Question, quiet_s: float) -> Trouble | None:
        """Send a broadcast, which nobody answers, and wait until every unit has worked on it."""


def judged(question: Question, answer: ModbusPDU) -> ModbusPDU | Trouble:
    """The answer if it is that of the question, else what is wrong with it."""
    if answer.dev_id != question.unit:
        return Trouble(Cause.FOREIGN)
    if answer.isError():
        foreign = answer.function_code & 0x7F != question.pdu.function_code
        return Trouble(Cause.FOREIGN) if foreign else Trouble(Cause.REFUSED, answer.exception_code)
    return answer if question.answered_by(answer) else Trouble(Cause.FOREIGN)
