"""Results: what became of a command, told by the gateway, device by device."""

from typing import Any

import msgspec

from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason, Refusal
from lamplighter_contract.wire.fields import Count, Whole, is_plain
from lamplighter_contract.wire.limits import MAX_COMMAND_DEVICES, MAX_TEXT


class DeviceResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """One device's part; `reading` is the read-back, canonical quantity -> value."""

    device: str
    state: CommandState
    reason: str = ""
    reading: dict[str, float | int | bool | str | None] = {}


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """Result number `n` of command `id`: the pair is its identity. `time` is civil epoch ms.

    A refusal before acceptance has no devices; `highest_seq` is then the highest command seq the gateway has seen.
    """

    id: str
    n: Whole
    time: Whole
    state: CommandState
    reason: str = ""
    detail: str = ""
    devices: tuple[DeviceResult, ...] = ()
    highest_seq: Count = 0

    def as_json(self) -> Any:
        """The result as plain JSON values."""
        return msgspec.to_builtins(self)


def read_result(value: object) -> Result | Refusal:
    """One result from plain JSON values."""
    try:
        result = msgspec.convert(value, Result)
    except msgspec.ValidationError as error:
        return Refusal(Reason.MALFORMED, f"result: {error}")
    if not 0 < len(result.id) <= 64 or result.n < 0 or len(result.devices) > MAX_COMMAND_DEVICES:
        return Refusal(Reason.OUT_OF_BOUNDS, "result: id, n or devices")
    said = (result.id, result.reason, result.detail, *(part.reason for part in result.devices))
    if max(map(len, said)) > MAX_TEXT:
        return Refusal(Reason.TOO_LARGE, "result: reason or detail is too long")
    if not all(map(is_plain, said)):
        return Refusal(Reason.MALFORMED, "result: there is a control character in it")
    return result
