"""Findings held against the truth: each deed is found at most once, and what belongs to none is false."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from benchmarks.fleet.judged import Found
from lamplighter_firmware_sim.trucks.weeks.week import Done

BEFORE_S: Final = 180.0
AFTER_S: Final = 600.0


@dataclass(slots=True)
class Score:
    """Right, false and missed findings of one kind; `delays_s` from the end of the deed to the word of it."""

    right: int = 0
    false: int = 0
    missed: int = 0
    delays_s: list[float] = field(default_factory=list)

    def __iadd__(self, other: Self) -> Self:
        self.right += other.right
        self.false += other.false
        self.missed += other.missed
        self.delays_s += other.delays_s
        return self

    @property
    def precision(self) -> float:
        """Of all findings, the share that is right."""
        return self.right / max(1, self.right + self.false)

    @property
    def recall(self) -> float:
        """Of all deeds, the share that was found."""
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        """Both in one."""
        return 2 * self.right / max(1, 2 * self.right + self.false + self.missed)


def score(kind: str, found: Iterable[Found], done: Sequence[Done]) -> Score:
    """One kind of deed in one week."""
    open_deeds = [one for one in done if one.deed.kind == kind]
    result = Score()
    for one in sorted(found, key=lambda one: one.first_s):
        if one.kind != kind:
            continue
        deed = next((d for d in open_deeds if _is(one, d)), None)
        if deed is None:
            result.false += 1
        else:
            open_deeds.remove(deed)
            result.right += 1
            result.delays_s.append(max(0.0, one.told_s - deed.deed.end_s))
    result.missed = len(open_deeds)
    return result


def _is(found: Found, done: Done) -> bool:
    start_s, end_s = done.deed.start_s - BEFORE_S, done.deed.end_s + AFTER_S
    return found.truck == done.truck and start_s <= found.first_s <= end_s
