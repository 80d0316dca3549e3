"""Live and recorded video, alarms' attachments (JT/T 1078-2016 and the active-safety supplement)."""

from collections.abc import Mapping
from typing import Final

from lamplighter_gateway.drivers.jt808.codec.fields import (
    BYTE,
    DWORD,
    WORD,
    CountedText,
    Edition,
    Field,
    Group,
    Many,
    Moment,
    Number,
    Raw,
    Text,
)
from lamplighter_gateway.drivers.jt808.codec.layouts.terminal import ANSWERS, Fields

_ADDRESS: Final = (Field("address", CountedText()), Field("tcp_port", WORD), Field("udp_port", WORD))
_STREAM: Final = (Field("channel", BYTE), Field("media", BYTE), Field("stream", BYTE))
_SPAN: Final = (Field("start", Moment()), Field("end", Moment()))
_ALARMS: Final = Field("alarms", Raw(8))
_CONTROL: Final = (Field("channel", BYTE), Field("direction", BYTE), Field("speed", BYTE))


def video_layouts(edition: Edition) -> Mapping[int, Fields]:
    """Fields of each message by its id."""
    terminal = Text(30 if edition is Edition.V2019 else 7)
    reserved = 2 if edition is Edition.V2019 else 1
    alarm = (
        Field("alarm_terminal", terminal),
        Field("alarm_time", Moment()),
        Field("alarm_number", BYTE),
        Field("attachments", BYTE),
        Field("alarm_reserved", Raw(reserved)),
        Field("platform_alarm", Text(32)),
    )
    recordings = (Field("channel", BYTE), *_SPAN, _ALARMS, Field("media", BYTE), Field("stream", BYTE))
    found = Group((*recordings, Field("storage", BYTE), Field("size", DWORD)), edition)
    files = Group((Field("name", CountedText()), Field("size", DWORD)), edition)
    piece = Group((Field("offset", DWORD), Field("size", DWORD)), edition)
    return {
        **_live(),
        0x9205: (*recordings, Field("storage", BYTE)),
        0x1205: (ANSWERS, Field("recordings", Many(found, DWORD))),
        0x9206: _UPLOAD,
        0x1206: (ANSWERS, Field("result", BYTE)),
        0x9207: (ANSWERS, Field("control", BYTE)),
        0x9208: (*_ADDRESS, *alarm, Field("reserved", Raw())),
        0x1210: (Field("terminal", terminal), *alarm, Field("kind", BYTE), Field("files", Many(files))),
        0x1211: (Field("name", CountedText()), Field("kind", BYTE), Field("size", DWORD)),
        0x1212: (Field("name", CountedText()), Field("kind", BYTE), Field("size", DWORD)),
        0x9212: (
            Field("name", CountedText()),
            Field("kind", BYTE),
            Field("result", BYTE),
            Field("missing", Many(piece)),
        ),
    }


def _live() -> Mapping[int, Fields]:
    return {
        0x9003: (),
        0x1003: (
            Field("audio_coding", BYTE),
            Field("audio_channels", BYTE),
            Field("audio_sampling", BYTE),
            Field("audio_bits", BYTE),
            Field("audio_frame_bytes", WORD),
            Field("audio_output", BYTE),
            Field("video_coding", BYTE),
            Field("most_audio_channels", BYTE),
            Field("most_video_channels", BYTE),
        ),
        0x1005: (*_SPAN, Field("boarded", WORD), Field("alighted", WORD)),
        0x9101: (*_ADDRESS, *_STREAM),
        0x9102: (Field("channel", BYTE), Field("control", BYTE), Field("close", BYTE), Field("stream", BYTE)),
        0x9105: (Field("channel", BYTE), Field("loss_percent", BYTE)),
        0x9201: (
            *_ADDRESS,
            *_STREAM,
            Field("storage", BYTE),
            Field("playback", BYTE),
            Field("speed", BYTE),
            *_SPAN,
        ),
        0x9202: (Field("channel", BYTE), Field("control", BYTE), Field("speed", BYTE), Field("at", Moment())),
        0x9301: _CONTROL,
        **dict.fromkeys(range(0x9302, 0x9307), (Field("channel", BYTE), Field("value", Number(1)))),
    }


_UPLOAD: Final = (
    Field("address", CountedText()),
    Field("port", WORD),
    Field("user", CountedText()),
    Field("password", CountedText()),
    Field("path", CountedText()),
    Field("channel", BYTE),
    *_SPAN,
    _ALARMS,
    Field("media", BYTE),
    Field("stream", BYTE),
    Field("storage", BYTE),
    Field("condition", BYTE),
)
