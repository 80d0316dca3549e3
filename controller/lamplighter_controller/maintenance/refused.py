"""What people ask for and is not done: which field, by which rule, in words. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refused:
    """A value, not an exception; nothing of what was asked for has happened.

    Args:
        field: where it stands in what was asked, such as `body.at_ms`.
        rule: short name of the rule.
        conflict: it is well-formed and contradicts what is there already.
    """

    field: str
    rule: str
    detail: str
    conflict: bool = False


def not_now(detail: str) -> Refused:
    """Right in itself, and not in this state."""
    return Refused("", "not-now", detail, conflict=True)
