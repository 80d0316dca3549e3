"""What is wrong with a bus, judged from what a probe saw. Pure.

Nothing here is guessed from one answer: each fault names the evidence that it stands on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lamplighter_gateway.commissioning.probe.attempts import Attempt, Observed, count, of_unit, units
from lamplighter_gateway.commissioning.wire.frames import Kind
from lamplighter_gateway.commissioning.wire.port import Setting, Trouble

Facts = Mapping[str, int | float | str]
_NOISE_SHARE: Final = 0.05  # of the answers; below it a gateway's retries do
_UNUSABLE: Final = (Kind.GARBLED, Kind.LEVELS)
_BEHIND: Final = frozenset({10, 11})  # Modbus application protocol 1.1b3, 7: a gateway speaks of what is behind it
_MAP: Final = frozenset({1, 2, 3})


class Fault(StrEnum):
    """What may be wrong with a bus."""

    NONE = "none"
    PORT_MISSING = "port-missing"
    PORT_DENIED = "port-denied"
    PORT_BUSY = "port-busy"
    PORT_UNUSABLE = "port-unusable"
    PORT_LOST = "port-lost"
    HOST_REFUSES = "host-refuses"
    HOST_UNREACHABLE = "host-unreachable"
    TCP_SILENT = "tcp-silent"
    NOT_MODBUS = "not-modbus"
    BEHIND_GATEWAY = "behind-gateway"
    SILENT = "silent"
    SILENT_ECHO = "silent-echo"
    SWAPPED = "swapped"
    SETTING = "setting"
    SLOW = "slow"
    NOISE = "noise"
    GARBLED = "garbled"
    DOUBLE_UNIT = "double-unit"
    SECOND_MASTER = "second-master"
    WRONG_UNIT = "wrong-unit"
    REGISTER_MAP = "register-map"
    UNITS_SILENT = "units-silent"
    ECHO = "echo"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, the units it concerns, and what it was judged by. `setting`, `timeout_s`: what would be right."""

    fault: Fault
    units: tuple[int, ...] = ()
    setting: Setting | None = None
    timeout_s: float | None = None
    facts: Facts = field(default_factory=dict)


_OPENING: Final = {
    Trouble.MISSING: Fault.PORT_MISSING,
    Trouble.DENIED: Fault.PORT_DENIED,
    Trouble.BUSY: Fault.PORT_BUSY,
    Trouble.REFUSED: Fault.HOST_REFUSES,
    Trouble.UNREACHABLE: Fault.HOST_UNREACHABLE,
}


def judge(seen: Observed) -> tuple[Finding, ...]:
    """What is wrong, the weightiest first; one finding NONE when nothing is."""
    if seen.not_opened is not None:
        fault = _OPENING.get(seen.not_opened.trouble, Fault.PORT_UNUSABLE)
        return (Finding(fault, facts={"detail": seen.not_opened.detail}),)
    if seen.is_serial and count(seen.attempts, Kind.CLOSED):
        return (Finding(Fault.PORT_LOST, facts=_facts(seen.attempts)),)
    good = next((setting for setting in seen.settings if _understood(seen.at(setting))), None)
    found = any(_understood(seen.at(setting)) for setting in seen.settings)
    if not found:
        return (_nobody(seen),)
    findings = [*_setting(seen, good), *_answering(seen, good)]
    return tuple(findings) or (Finding(Fault.NONE, facts=_facts(seen.at(good))),)


def _understood(attempts: Sequence[Attempt]) -> bool:
    """Somebody answered in time, and was not a converter speaking of somebody else."""
    return any(attempt.said.alive and attempt.said.code not in _BEHIND for attempt in attempts)


def _facts(attempts: Sequence[Attempt]) -> Facts:
    heard = {kind.value: number for kind in Kind if (number := count(attempts, kind))}
    return {**heard, "asked": len(attempts)}


def _setting(seen: Observed, good: Setting | None) -> Iterator[Finding]:
    if good is not None and good != seen.configured:
        facts = {"configured": str(seen.configured), "found": str(good), **_facts(seen.at(seen.configured))}
        yield Finding(Fault.SETTING, setting=good, facts=facts)


def _answering(seen: Observed, good: Setting | None) -> Iterator[Finding]:
    """Faults of a bus where at least one unit answers."""
    attempts = seen.at(good)
    if _frames_unasked(seen):  # what it garbles is no fault of the cable
        yield Finding(Fault.SECOND_MASTER, facts={"bytes": len(seen.unasked)})
    else:
        yield from _garbling(attempts)
    refusing = tuple(unit for unit in units(attempts) if _refuses(of_unit(attempts, unit)))
    if refusing:
        codes = sorted({attempt.said.code for attempt in attempts if attempt.unit in refusing and attempt.said.code})
        yield Finding(Fault.REGISTER_MAP, refusing, facts={"codes": ", ".join(map(str, codes))})
    foreign = tuple(unit for unit in units(attempts) if _only(of_unit(attempts, unit), Kind.FOREIGN, Kind.SILENT))
    wrong = tuple(unit for unit in foreign if count(of_unit(attempts, unit), Kind.FOREIGN))
    if wrong:
        yield Finding(Fault.WRONG_UNIT, wrong, facts=_facts(attempts))
    yield from _late(seen, attempts)
    silent = tuple(unit for unit in foreign if unit not in wrong) + _gone(attempts)
    silent += tuple(unit for unit in units(attempts) if _only(of_unit(attempts, unit), Kind.ECHO))
    if silent:
        yield Finding(Fault.UNITS_SILENT, silent, facts=_facts(attempts))
    if any(attempt.said.echoed for attempt in attempts):
        yield Finding(Fault.ECHO, facts={"echoes": sum(attempt.said.echoed for attempt in attempts)})


def _garbling(attempts: Sequence[Attempt]) -> Iterator[Finding]:
    """Noise is everybody's; what only ever strikes one unit is that unit's, or two of one number."""
    answers = [attempt for attempt in attempts if attempt.said.kind not in (Kind.SILENT, Kind.ECHO, Kind.CLOSED)]
    spoilt = [attempt for attempt in answers if attempt.said.kind in _UNUSABLE or attempt.said.noisy]
    always = tuple(
        unit
        for unit in units(spoilt)
        if len(of_unit(spoilt, unit)) > 1 and not count(of_unit(attempts, unit), Kind.GOOD)
    )
    rest = [attempt for attempt in spoilt if attempt.unit not in always]
    others = [attempt for attempt in answers if attempt.unit not in always]
    noisy = len(rest) >= _NOISE_SHARE * len(others)
    if always and others and (not rest or not noisy):
        yield Finding(Fault.DOUBLE_UNIT, always, facts={"garbled": len(spoilt), "answers": len(answers)})
    elif spoilt and noisy:
        facts: Facts = {
            "garbled": len(spoilt),
            "answers": len(answers),
            "percent": round(100 * len(spoilt) / len(answers)),
        }
        yield Finding(Fault.NOISE, tuple(units(spoilt)), facts=facts)


def _late(seen: Observed, attempts: Sequence[Attempt]) -> Iterator[Finding]:
    """Units that answer, but later than the configuration waits."""
    late = [a for a in attempts if a.said.alive and a.after_s is not None and a.after_s > seen.timeout_s]
    if late:
        slowest_s = max(attempt.after_s or 0.0 for attempt in late)
        yield Finding(
            Fault.SLOW, tuple(units(late)), timeout_s=_roomy(slowest_s), facts={"slowest_s": round(slowest_s, 3)}
        )


def _roomy(slowest_s: float) -> float:
    """A time-out with half as much again."""
    return round(1.5 * slowest_s + 0.05, 1)


def _refuses(attempts: Sequence[Attempt]) -> bool:
    refused = [attempt for attempt in attempts if attempt.said.kind is Kind.REFUSED and attempt.said.code in _MAP]
    return bool(refused) and not count(attempts, Kind.GOOD)


def _gone(attempts: Sequence[Attempt]) -> tuple[int, ...]:
    return tuple(unit for unit in units(attempts) if any(a.said.code in _BEHIND for a in of_unit(attempts, unit)))


def _only(attempts: Sequence[Attempt], *kinds: Kind) -> bool:
    return bool(attempts) and count(attempts, *kinds) == len(attempts)


def _nobody(seen: Observed) -> Finding:
    """No unit was understood at any setting."""
    attempts = seen.attempts
    facts: Facts = {**_facts(attempts), "settings": len(seen.settings)}
    if any(attempt.said.code in _BEHIND for attempt in attempts):
        return Finding(Fault.BEHIND_GATEWAY, tuple(units(attempts)), facts=facts)
    if _frames_unasked(seen):
        return Finding(Fault.SECOND_MASTER, facts={**facts, "bytes": len(seen.unasked)})
    if not seen.is_serial:
        strange = count(attempts, *_UNUSABLE, Kind.FOREIGN)
        return Finding(Fault.NOT_MODBUS if strange else Fault.TCP_SILENT, facts=facts)
    return _nobody_on_the_wire(seen, facts)


def _nobody_on_the_wire(seen: Observed, facts: Facts) -> Finding:
    """What a serial line tells that carries no answer."""
    attempts, asked = seen.attempts, tuple(units(seen.attempts))
    at_rest = bool(seen.unasked) and not _frames_unasked(seen)
    levels = count(attempts, Kind.LEVELS) + at_rest
    if levels and levels >= count(attempts, Kind.GARBLED):
        return Finding(Fault.SWAPPED, facts={**facts, "unasked": len(seen.unasked)})
    if count(attempts, Kind.GARBLED):
        return Finding(Fault.GARBLED, asked, facts=facts)
    if count(attempts, Kind.FOREIGN):
        return Finding(Fault.WRONG_UNIT, asked, facts=facts)
    return Finding(Fault.SILENT_ECHO if count(attempts, Kind.ECHO) else Fault.SILENT, asked, facts=facts)


def _frames_unasked(seen: Observed) -> bool:
    """Bytes that nobody asked for, and that are more than a line at rest at the wrong level."""
    return len(seen.unasked) >= 4 and not set(seen.unasked) <= {0x00, 0xFF}
