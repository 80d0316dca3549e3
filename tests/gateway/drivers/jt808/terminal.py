"""A terminal for tests: it calls the server over a real socket and says what it is told to."""

import asyncio
from typing import Any, Self

from lamplighter_gateway.drivers.jt808.codec.faults import Refused
from lamplighter_gateway.drivers.jt808.codec.fields import Edition
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, Header, read_frame, write_message
from lamplighter_gateway.drivers.jt808.codec.framing import Deframer
from lamplighter_gateway.drivers.jt808.codec.location import Location, write_batch, write_location
from lamplighter_gateway.drivers.jt808.codec.messages import read_body, write_body

PHONE = "013800138000"
PLACE = Location(0, 0b11, 36.65, 117.12, 50, 42.5, 90, None)
TIMEOUT_S = 5.0


class Terminal:
    """One connection."""

    def __init__(self, port: int, phone: str = PHONE, edition: Edition = Edition.V2013) -> None:
        self.port, self.phone, self.edition = port, phone, edition
        self.serial = 0
        self.deframer = Deframer()
        self.frames: list[Frame] = []

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def send(
        self, message: int, values: dict[str, Any] | None = None, *, body: bytes | None = None, most_bytes: int = 1023
    ) -> int:
        self.serial += 1
        content = write_body(message, values or {}, self.edition) if body is None else body
        header = Header(message, self.phone, self.serial, 1 if self.edition is Edition.V2019 else 0)
        frames = list(write_message(header, content, most_bytes))
        self.writer.write(b"".join(frames))
        self.serial += len(frames) - 1
        return self.serial - len(frames) + 1

    async def receive(self) -> Frame:
        """The next frame of the server."""
        async with asyncio.timeout(TIMEOUT_S):
            while not self.frames:
                data = await self.reader.read(4096)
                if not data:
                    raise EOFError
                for between in self.deframer.feed(data):
                    assert isinstance(between, bytes)
                    frame = read_frame(between)
                    assert isinstance(frame, Frame), frame
                    self.frames.append(frame)
        return self.frames.pop(0)

    async def told(self) -> tuple[int, dict[str, Any]]:
        """The next message of the server, with its values."""
        frame = await self.receive()
        body = read_body(frame, self.edition)
        assert not isinstance(body, Refused), body
        return frame.header.message, dict(body)

    async def ask(self, message: int, values: dict[str, Any] | None = None, **how: Any) -> dict[str, Any]:
        """Send, and read the answer to it."""
        serial = self.send(message, values, **how)
        _, body = await self.told()
        assert body["answers_serial"] == serial
        return body

    async def register(self) -> dict[str, Any]:
        values = {"province": 37, "city": 1, "maker": "LAMPS", "model": "T1", "terminal": "1234567", "plate_colour": 2}
        return await self.ask(0x0100, {**values, "plate": "鲁A12345"})

    async def log_in(self) -> None:
        code = (await self.register())["code"]
        extra = {"imei": "1" * 15, "software": "1.0"} if self.edition is Edition.V2019 else {}
        assert (await self.ask(0x0102, {"code": code} | extra))["result"] == 0

    async def report(self, time_ms: int, **values: Any) -> dict[str, Any]:
        return await self.ask(0x0200, body=write_location(replace_location(time_ms, **values)))

    def answer(self, frame: Frame, result: int = 0) -> None:
        """A general acknowledgement."""
        values = {"answers_serial": frame.header.serial, "answers_message": frame.header.message, "result": result}
        self.send(0x0001, values)

    def answer_position(self, frame: Frame, location: Location) -> None:
        """The answer to 0x8201."""
        self.send(0x0201, body=frame.header.serial.to_bytes(2, "big") + write_location(location))


def replace_location(time_ms: int, **values: Any) -> Location:
    return PLACE._replace(time_ms=time_ms, **values)


def batch(*locations: Location, blind_area: bool) -> bytes:
    return write_batch(locations, blind_area=blind_area)


__all__ = ["PHONE", "PLACE", "Terminal", "batch", "replace_location"]
