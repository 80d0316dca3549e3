"""The walk as a conversation: a lamp blinks, a person says at which pole; by keyboard here or by phone on the page."""

import asyncio
import contextlib
import os
import stat
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import click

from lamplighter_gateway.cli.host import RefusedError, Speak
from lamplighter_gateway.commissioning.language import Language
from lamplighter_gateway.control import Answer

LOOK_S: Final = 1.0
STOP: Final = "q"
_WORDS: Final[Mapping[Language, Mapping[str, str]]] = {
    Language.EN: {
        "ask": "[{number}/{all}] {lamp} blinks for {seconds:g} s. Pole {pole}? Enter = yes, number of another pole, "
        "n = nothing blinks, b = blink again, s = skip, q = stop: ",
        "unknown": "unknown",
        "needed": "the inventory has no pole for it: type the pole's number",
        "failed": "{lamp} does not blink: {why}",
        "phone": "by phone: {lamp} at {pole}",
        "done": "{answered} of {all} lamps answered, {left} left. It goes on where it stopped.",
        "complete": "All {all} lamps are answered for.",
        "nobody": "none",
    },
    Language.ZH: {
        "ask": "[{number}/{all}] {lamp} 闪烁 {seconds:g} 秒。灯杆 {pole}？回车=是，其他灯杆直接输入编号，"
        "n=没有闪烁，b=再闪一次，s=跳过，q=停止：",
        "unknown": "未知",
        "needed": "台账中没有灯杆：请输入灯杆编号",
        "failed": "{lamp} 没有闪烁：{why}",
        "phone": "手机确认：{lamp} 在 {pole}",
        "done": "已核对 {answered}/{all} 盏灯，剩余 {left} 盏。下次从此处继续。",
        "complete": "全部 {all} 盏灯均已核对。",
        "nobody": "无",
    },
}


@dataclass(slots=True)
class Walk:
    """One walk from the first lamp nobody has answered for."""

    speak: Speak
    seconds: float
    language: Language
    keyboard: asyncio.StreamReader
    _skipped: set[str] = field(default_factory=set)
    _typing: "asyncio.Task[bytes] | None" = None

    async def run(self) -> None:
        """Until every lamp is answered for, or the person stops."""
        try:
            while (state := await self.speak("state"))["running"]:
                lamp = next((one for one in state["left"] if one not in self._skipped), None)
                if lamp is None or not await self._one(lamp, state):
                    break
        finally:
            if self._typing is not None:
                self._typing.cancel()
        state = await self.speak("state")
        left = len(state["left"])
        self._say("done" if left else "complete", answered=state["answered"], all=state["lamps"], left=left)

    async def _one(self, lamp: str, state: Answer) -> bool:
        """One lamp; False when the person stops."""
        expected = str(state["expected"].get(lamp, ""))
        while True:
            try:
                await self.speak("blink", device=lamp, seconds=self.seconds)
            except RefusedError as error:
                self._say("failed", lamp=lamp, why=error)
            number, every = state["answered"] + len(self._skipped) + 1, state["lamps"]
            pole = expected or self._word("unknown")
            self._say("ask", nl=False, number=number, all=every, lamp=lamp, seconds=self.seconds, pole=pole)
            typed = await self._typed_or_phoned(lamp)
            if typed is None:
                return True
            if typed == STOP:
                return False
            if typed == "s":
                self._skipped.add(lamp)
                return True
            if typed == "b":
                continue
            if await self._answered(lamp, typed, expected):
                return True

    async def _answered(self, lamp: str, typed: str, expected: str) -> bool:
        if not typed and not expected:
            self._say("needed")
            return False
        try:
            await self.speak("saw", device=lamp, pole=None if typed == "n" else typed or expected)
        except RefusedError as error:
            click.echo(str(error), err=True)
            return False
        return True

    async def _typed_or_phoned(self, lamp: str) -> str | None:
        """What was typed; None when a phone answered meanwhile. The end of the input is a stop."""
        while True:
            if self._typing is None:
                self._typing = asyncio.create_task(self.keyboard.readline(), name="keyboard")
            done, _ = await asyncio.wait({self._typing}, timeout=LOOK_S)
            if done:
                line, self._typing = self._typing.result(), None
                return line.decode("utf-8", "replace").strip() if line else STOP
            told = (await self.speak("record"))["record"]["seen"].get(lamp)
            if told is not None:
                click.echo()
                self._say("phone", lamp=lamp, pole=told["pole"] or self._word("nobody"))
                return None

    def _word(self, name: str) -> str:
        return _WORDS[self.language][name]

    def _say(self, name: str, *, nl: bool = True, **values: object) -> None:
        click.echo(self._word(name).format(**values), nl=nl)
        sys.stdout.flush()


@contextlib.asynccontextmanager
async def keyboard() -> AsyncIterator[asyncio.StreamReader]:
    """Lines of the standard input as they are typed, or of a file; a terminal is left as it was."""
    reader = asyncio.StreamReader()
    if stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode):
        reader.feed_data(sys.stdin.buffer.read())
        reader.feed_eof()
        yield reader
        return
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    try:
        yield reader
    finally:
        transport.pause_reading()
        os.set_blocking(sys.stdin.fileno(), True)  # the shell after us shares it
