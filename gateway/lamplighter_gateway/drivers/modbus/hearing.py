"""What is heard on a serial line: the answer that is waited for, and everything else.

An RTU answer is only a unit, a function and a length, so nothing is taken for one but a whole frame with exactly these
and a right checksum, the first thing heard after the question. A byte or two of noise may stand before it, as poorly
biased lines make when a driver switches on; so may the question itself, where an adapter hands back what is sent.
Pure: bytes and monotonic seconds are handed in.
"""

from typing import Final

from pymodbus.framer.rtu import FramerRTU

from lamplighter_gateway.drivers.modbus.questions import Question

_NOISE_BYTES: Final = 2
_SHORTEST_FRAME: Final = 4
_EXCEPTION_FRAME: Final = 5


class Hearing:
    """One line's ear. Times are monotonic seconds; `last_s` is when the last byte came."""

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self.last_s = float("-inf")
        self.stray_s = float("-inf")  # when somebody else was last heard
        self.strays = 0  # bursts of bytes that nobody here had asked for
        self.late = 0  # answers after their time-out
        self.echoes = False  # the adapter hands back what is sent
        self.foreign = False  # a sound frame came since the question, and it was not the answer
        self.disturbed = False  # somebody else was heard since the last question: his answer may be on its way
        self._late_expected = False
        self._question: Question | None = None
        self._sent = b""
        self._buffer = b""

    def asks(self, question: Question) -> None:
        """From now on the answer to this question is waited for."""
        self._question, self._sent, self._buffer = question, b"", b""
        self.disturbed = self.foreign = self._late_expected = False

    def rests(self, *, late_expected: bool = False) -> None:
        """Nobody is waited for any more, but for an answer whose time is over."""
        self._question, self._late_expected = None, late_expected

    def sends(self, frame: bytes) -> None:
        """What goes out."""
        self._sent = frame

    def hears(self, buffer: bytes, now_s: float) -> bytes:
        """The frame of the answer once all of it is among the bytes heard since the question, until then nothing."""
        self.last_s = now_s
        question = self._question
        if question is None:
            self._overhears(buffer, now_s)
            return b""
        self._buffer = buffer
        if not question.reads:  # the answer to a write of one register looks like its question: only a read tells
            return _answer_in(self._said, question)
        if self.echoes and _answer_in(buffer, question):
            self.echoes = False
        elif not self.echoes and self._sent and buffer.startswith(self._sent):
            self.echoes = True
        return _answer_in(self._said, question)

    @property
    def whole(self) -> bool:
        """True if as much has come as the answer has, so that only a gap between frames need be waited for."""
        question, said = self._question, self._said
        if question is None or len(said) < question.answer_characters:
            return False
        return said[:2] == bytes((question.unit, question.pdu.function_code))

    def judges(self) -> bool:
        """After a pause longer than any inside a frame: True if what came is no sound frame, so no more will come."""
        said = self._said
        if not said:
            return False
        self.foreign = len(said) >= _SHORTEST_FRAME and _sound(said)
        return not self.foreign

    def _overhears(self, buffer: bytes, now_s: float) -> None:
        if self.echoes and self._sent.startswith(buffer):
            return
        if self._late_expected:
            self.late += 1
        elif not self.disturbed:
            self.strays += 1
            self.stray_s = now_s
            self.disturbed = True
        self._late_expected = False

    @property
    def _said(self) -> bytes:
        """What others said since the question, without answers to older ones: those have another length."""
        said = self._buffer
        if self.echoes:
            said = b"" if self._sent.startswith(said) else said.removeprefix(self._sent)
        return said if self._question is None else _past_late(said, self._question)


def _past_late(said: bytes, question: Question) -> bytes:
    head = bytes((question.unit, question.pdu.function_code))
    while question.reads and len(said) >= _EXCEPTION_FRAME and said[:2] == head:
        length = _EXCEPTION_FRAME + said[2]
        if length == question.answer_characters or len(said) < length or not _sound(said[:length]):
            break
        said = said[length:]
    return said


def _answer_in(said: bytes, question: Question) -> bytes:
    function = question.pdu.function_code
    for start in range(min(len(said), _NOISE_BYTES + 1)):
        head = said[start : start + 2]
        refused = head == bytes((question.unit, function | 0x80))
        if not refused and head != bytes((question.unit, function)):
            continue
        length = _EXCEPTION_FRAME if refused else question.answer_characters
        frame = said[start : start + length]
        if len(frame) == length and _sound(frame):
            return frame
    return b""


def _sound(frame: bytes) -> bool:
    return FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))
