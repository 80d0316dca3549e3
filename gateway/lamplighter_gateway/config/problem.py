"""What is wrong in a file that a person wrote."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, where it stands, what stands there and what was expected."""

    file: str
    key: str
    value: str
    expected: str

    def __str__(self) -> str:
        """One line for a terminal."""
        return f"{self.file}: {self.key}: value {self.value}, expected {self.expected}"


Problems = tuple[Problem, ...]


def shown(value: object) -> str:
    """A value as it stands in a message, cut to a readable length."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
