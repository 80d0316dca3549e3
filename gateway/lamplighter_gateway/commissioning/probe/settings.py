"""Which settings of a serial line are worth trying, the likeliest first. Pure."""

from collections.abc import Sequence
from typing import Final

from lamplighter_gateway.commissioning.wire.port import Setting
from lamplighter_gateway.config.model import Parity

# Modbus over serial line 1.02, 2.5.1: 9,600 and 19,200 are required, 8E1 the default, 8N2 without parity; most lamp
# controllers leave the factory at 8N1.
_FRAMES: Final = ((Parity.NONE, 1), (Parity.EVEN, 1), (Parity.ODD, 1), (Parity.NONE, 2))
_BAUDS: Final = (9600, 19_200, 4800, 2400, 115_200, 38_400, 57_600, 1200)


def worth_trying(configured: Setting) -> Sequence[Setting]:
    """The configured one, then its speed with other parities, then other speeds."""
    bauds = [configured.baud, *(baud for baud in _BAUDS if baud != configured.baud)]
    own = [Setting(configured.baud, parity, stop) for parity, stop in _FRAMES]
    others = [Setting(baud, parity, stop) for parity, stop in _FRAMES for baud in bauds[1:]]
    return list(dict.fromkeys([configured, *own, *others]))
