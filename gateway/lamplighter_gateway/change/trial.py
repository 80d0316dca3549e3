"""Is a changed configuration good? It is, once all answers that answered before it. Pure; monotonic seconds."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Answers:
    """Whether any device on any bus answers, and whether the centre does."""

    bus: bool = False
    uplink: bool = False

    def lack(self, before: "Answers") -> str:
        """What answered before and does not now, in words; nothing at all is lacking, too."""
        if not (self.bus or self.uplink):
            return "neither a bus nor the uplink answers"
        if before.bus and not self.bus:
            return "no bus answers"
        return "the uplink does not answer" if before.uplink and not self.uplink else ""

    def also(self, others: "Answers") -> "Answers":
        """What is among these or the others."""
        return Answers(self.bus or others.bus, self.uplink or others.uplink)


class Verdict(Enum):
    """What becomes of a trial."""

    PROVEN = "proven"
    WAITS = "waits"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Trial:
    """A configuration on trial until `until_s`; `before` is what answered under the one it follows."""

    before: Answers
    until_s: float


def judge(trial: Trial, now: Answers, now_s: float) -> Verdict:
    """Good as soon as nothing is lacking; what did not answer before is not asked of it."""
    if not now.lack(trial.before):
        return Verdict.PROVEN
    return Verdict.FAILED if now_s >= trial.until_s else Verdict.WAITS
