"""What commanding asks of the rooms beside it."""

from typing import Protocol

from lamplighter_contract.errors import Refusal
from lamplighter_contract.wire.documents import DeviceEntry


class Devices(Protocol):
    """The devices there are; the twin is one."""

    def entry(self, device: str) -> DeviceEntry | None:
        """What the gateway said the device is, None when no gateway serves it."""

    def gateway_of(self, device: str) -> str | None:
        """The gateway that serves a device."""


class Gateways(Protocol):
    """What is known about the gateways right now."""

    def refusal(self, gateway: str) -> Refusal | None:
        """Why no command may go to it: not enrolled, two gateways with one id, the controller is held; else None."""

    def online(self, gateway: str) -> bool:
        """True while its last birth stands."""

    def highest_seq(self, gateway: str) -> int:
        """The highest command number it has told us it saw, 0 when it never did."""
