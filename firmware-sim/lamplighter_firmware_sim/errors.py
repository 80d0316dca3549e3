"""What can go wrong in the simulator itself."""

from dataclasses import dataclass


class SimError(Exception):
    """Root of every exception this package raises."""


class UnknownTargetError(SimError):
    """A device id, fault kind or gateway that the simulated city does not have."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake of a person in a file: where it stands, what it says and what was expected."""

    file: str
    key: str
    value: object
    expected: str

    def __str__(self) -> str:
        """One line for a terminal."""
        return f"{self.file}: {self.key}: {self.value!r} - expected {self.expected}"
