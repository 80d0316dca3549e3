"""Whether a connection is dead, or only those who were asked on it.

Lamps lose their power together and by plan; what else is on their bus does not. So a connection is given up only after
several units in a row said nothing and the one of each kind that answered last says nothing either. Pure.
"""

from collections.abc import Hashable, Mapping
from typing import Final, Generic, TypeVar

Unit = TypeVar("Unit", bound=Hashable)

DOUBTFUL_AFTER: Final = 3  # different units in a row without an answer


class Endpoint(Generic[Unit]):
    """What lies behind one connection, as its units tell it."""

    def __init__(self, kinds: Mapping[Unit, Hashable]) -> None:
        """`kinds` tells for each unit what it is: units of one kind may fall silent together."""
        self._kinds = dict(kinds)
        self._latest: dict[Hashable, Unit] = {}
        self._unanswered: set[Unit] = set()
        self._in_a_row = 0
        self._given_up = False
        self.answered = False  # by anyone, since the connection was opened

    def answer(self, unit: Unit) -> None:
        """Note that the unit answered."""
        self._latest[self._kinds[unit]] = unit
        self.life()

    def life(self) -> None:
        """Note that somebody at the other end answered, if only for a unit that does not."""
        self.answered = True
        self._unanswered.clear()
        self._in_a_row = 0

    def silence(self, unit: Unit) -> None:
        """Note that the unit said nothing."""
        self._unanswered.add(unit)
        self._in_a_row += 1

    def witness(self, silent: frozenset[Unit]) -> Unit | None:
        """Whom to ask ahead of all others: who answered last of each kind, where the connection is in doubt.

        The one before it may have been given up, too. `silent` are units known to be dead, which tell nothing.
        """
        if not self._doubtful and not (self._given_up and not self.answered):
            return None
        spent = self._unanswered if self._given_up else self._unanswered | silent
        return next((unit for unit in self._latest.values() if unit not in spent), None)

    def stalled(self, silent: frozenset[Unit]) -> bool:
        """True if the connection stands and nobody behind it answers."""
        return self._doubtful and self.witness(silent) is None

    def renew(self, silent: frozenset[Unit]) -> None:
        """A new connection: nobody has been asked on it yet."""
        self._given_up = self.stalled(silent) or (self._given_up and not self.answered)
        self._unanswered.clear()
        self._in_a_row = 0
        self.answered = False

    @property
    def _doubtful(self) -> bool:
        enough = min(DOUBTFUL_AFTER, len(self._kinds))
        return self._in_a_row >= DOUBTFUL_AFTER and len(self._unanswered) >= enough
