"""How many bytes a day the uplink costs: payloads as they are, what MQTT, TLS and TCP add by their own formats. Pure.

Per message: MQTT's header, topic, number and, the other way, its confirmation (MQTT 5, 3.3 and 3.4); a TLS 1.3 record
around each (RFC 8446, 5.2); a TCP/IPv4 segment around that, and one that confirms it. Keep-alives and hand-shakes are
left out: they come to a few per cent.
"""

from typing import Final

from lamplighter_gateway.watch.daily import Daily

_MQTT_HEADER: Final = 8  # type, length of up to three bytes, length of topic, number of the message; no properties: 1
_MQTT_CONFIRMED: Final = 4
_TLS_RECORD: Final = 22
_SEGMENT: Final = 52  # IPv4, TCP, timestamps
_TO_CONFIRM: Final = _MQTT_CONFIRMED + _TLS_RECORD + 2 * _SEGMENT


class Traffic:
    """Bytes of one gateway's uplink, each way."""

    def __init__(self) -> None:
        """Nothing was sent."""
        self.up, self.down = Daily(), Daily()

    def published(self, topic: int, payload: int, now_s: float) -> None:
        """A message went up: bytes of its topic and payload."""
        self.up.add(_message(topic, payload), now_s)
        self.down.add(_TO_CONFIRM, now_s)

    def received(self, topic: int, payload: int, now_s: float) -> None:
        """A message came down."""
        self.down.add(_message(topic, payload), now_s)
        self.up.add(_TO_CONFIRM, now_s)


def _message(topic: int, payload: int) -> int:
    return _MQTT_HEADER + topic + payload + _TLS_RECORD + _SEGMENT
