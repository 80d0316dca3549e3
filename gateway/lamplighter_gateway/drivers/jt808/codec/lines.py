"""Frames as people keep them in files: a line of hexadecimal text each way, a line of JSON the other."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lamplighter_gateway.drivers.jt808.codec.faults import Fault, Refused
from lamplighter_gateway.drivers.jt808.codec.fields import Edition
from lamplighter_gateway.drivers.jt808.codec.fragments import Assembly
from lamplighter_gateway.drivers.jt808.codec.frame import Frame, Header, attributes_of, read_frame, write_message
from lamplighter_gateway.drivers.jt808.codec.framing import FLAG
from lamplighter_gateway.drivers.jt808.codec.messages import read_body, write_body

Told = dict[str, Any]


def decode_lines(lines: Iterable[str]) -> Iterator[Told]:
    """One object for each line that is not empty: `ok`, `error` and `detail` where it is not, header and `body`.

    A fragment's body is told as `fragment`; the one that completes its message brings the whole `body`.
    """
    assemblies: dict[str, Assembly] = {}
    for number, line in enumerate(lines, start=1):
        text = "".join(line.split())
        if text:
            yield {"line": number, **_decoded(text, assemblies)}


def _decoded(text: str, assemblies: dict[str, Assembly]) -> Told:
    frame = _frame_of(text)
    if isinstance(frame, Refused):
        return _refused(frame)
    if not frame.header.total:
        return _told(frame, read_body(frame))
    whole = assemblies.setdefault(frame.header.phone, Assembly()).take(frame, 0.0)
    if isinstance(whole, Refused):
        return _told(frame, whole)
    told = _told(frame, {} if whole is None else read_body(whole))
    return told | ({"body": None, "fragment": frame.body.hex()} if whole is None else {})


def _frame_of(text: str) -> Frame | Refused:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return Refused(Fault.HEX, "no hexadecimal text")
    if len(raw) < 2 or raw[0] != FLAG or raw[-1] != FLAG:
        return Refused(Fault.FLAG, "a frame begins and ends with 7e")
    return read_frame(raw[1:-1])


def _refused(refused: Refused) -> Told:
    return {"ok": False, "error": str(refused.fault), "detail": refused.detail}


def _told(frame: Frame, body: Mapping[str, Any] | Refused) -> Told:
    head = _header_json(frame)
    if isinstance(body, Refused):
        return {**_refused(body), **head, "body": None, "hex": frame.body.hex()}
    return {"ok": True, **head, "body": body}


def _header_json(frame: Frame) -> Told:
    header = frame.header
    return {
        "msg_id": f"0x{header.message:04x}",
        "attr": attributes_of(header, len(frame.body)),
        "body_len": len(frame.body),
        "encrypt": header.encryption,
        "fragmented": bool(header.total),
        "version_flag": bool(header.protocol),
        "protocol_version": header.protocol or None,
        "phone": header.phone,
        "serial": header.serial,
        "pkg_total": header.total or None,
        "pkg_no": header.number or None,
    }


def encode_lines(lines: Iterable[str]) -> Iterator[str | Refused]:
    """Hexadecimal frames from JSON lines with `msg_id`, `phone`, `serial` and `body`, long ones in fragments.

    `protocol_version` makes a frame of 2019; `edition` (2011, 2013, 2019) names the text it keeps to.
    """
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield from _encoded(number, line)


def _encoded(number: int, line: str) -> Iterator[str | Refused]:
    try:
        told = json.loads(line)
        message = int(str(told["msg_id"]), 16)
        protocol = int(told.get("protocol_version") or 0)
        edition = Edition(told.get("edition", Edition.V2019 if protocol else Edition.V2013))
        body = write_body(message, told.get("body") or {}, edition)
        header = Header(message, str(told["phone"]), int(told.get("serial", 0)), protocol)
        yield from [frame.hex() for frame in write_message(header, body)]
    except KeyError as error:
        yield Refused(Fault.BODY, f"line {number}: {error.args[0]} is missing")
    except (ValueError, TypeError, OverflowError, AttributeError, UnicodeError) as error:
        yield Refused(Fault.BODY, f"line {number}: {error}")
