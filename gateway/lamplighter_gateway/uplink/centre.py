"""What is known of the centre: whether it is there and storing, and whose acks count. Pure."""

from lamplighter_contract.wire.ack import Ack
from lamplighter_contract.wire.documents import ControllerState


class Centre:
    """The controller's state as retained on the broker; unknown is not absent."""

    def __init__(self, boot: str) -> None:
        """`boot` is ours: acks for another process start are not for us."""
        self._boot = boot
        self._epoch = 0
        self.state: ControllerState | None = None

    def forget(self) -> None:
        """A new session: nothing is known until the broker tells, except the highest epoch."""
        self.state = None

    def hear(self, state: ControllerState) -> bool:
        """Take the controller's word; False when a newer epoch has been seen."""
        if state.epoch < self._epoch:
            return False
        self._epoch = state.epoch
        self.state = state
        return True

    def counts(self, ack: Ack) -> bool:
        """True when the ack is for our frames and from the newest epoch seen."""
        if ack.boot != self._boot or ack.epoch < self._epoch:
            return False
        self._epoch = ack.epoch
        return True

    @property
    def urgent(self) -> bool:
        """True unless the centre said that it is gone: events and results need no series store."""
        return self.state is None or self.state.online

    @property
    def readings(self) -> bool:
        """True unless the centre said that it is gone or not storing."""
        return self.state is None or (self.state.online and self.state.storing)
