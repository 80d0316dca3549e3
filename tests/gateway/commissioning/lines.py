"""Serial lines on ptys with what goes wrong at a roadside cabinet."""

import asyncio
import termios

from lamplighter_contract.clock import SystemClock
from lamplighter_gateway.commissioning.probe.attempts import Observed
from lamplighter_gateway.commissioning.probe.run import Probe, Target
from lamplighter_gateway.commissioning.wire.port import Line, Setting
from lamplighter_gateway.commissioning.wire.serial_line import SerialLine
from lamplighter_gateway.config.model import Parity
from tests.gateway.drivers.units import SerialUnits

N1 = Setting(9600, Parity.NONE, 1)
BAUDS = {termios.B9600: 9600, termios.B19200: 19_200, termios.B4800: 4800}


class FaultyLine(SerialUnits):
    """`baud`: the units' own speed; at another they hear nothing (`deaf`) or are heard as noise."""

    def __init__(self, units, *, baud=9600, deaf=True, echo=False, chatter=b"", **rest):
        super().__init__(units, **rest)
        self.baud = baud
        self.deaf = deaf
        self.echo = echo
        self.chatter = chatter

    async def __aenter__(self):
        await super().__aenter__()
        self._chattering = asyncio.create_task(self._chatter(), name="chatter")
        return self

    async def __aexit__(self, *error):
        self._chattering.cancel()
        await super().__aexit__(*error)

    async def _chatter(self):
        while self.chatter:
            self._write(self.chatter)
            await asyncio.sleep(0.1)

    def _take(self, data):
        if self.echo:
            self._write(data)
        super()._take(data)

    def _write(self, frame):
        if self._ours < 0:
            return
        speed = BAUDS.get(termios.tcgetattr(self._ours)[5], 0)
        if speed == self.baud:
            super()._write(frame)
        elif not self.deaf:
            super()._write(bytes(byte ^ 0x5A for byte in frame[:-1]))


async def probed(
    line: Line | FaultyLine, *units: int, setting=N1, timeout_s=0.5, budget_s=60.0, listen_s=0.25, slowest_s=0.5
) -> Observed:
    """One probe of a line, with less patience than a person at a cabinet has."""
    on = line if not isinstance(line, FaultyLine) else SerialLine(line.device, SystemClock())
    targets = [Target(unit) for unit in units or range(1, 5)]
    probe = Probe(on, targets, setting, timeout_s, budget_s, SystemClock(), listen_s=listen_s, slowest_s=slowest_s)
    return await probe.run()
