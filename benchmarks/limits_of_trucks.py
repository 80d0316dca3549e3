"""Random sequences of commands, fixes and faults through the real keeper of limits: no rule at the truck may break."""

import logging
import time
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.gateway.trucks.sequences import SEQUENCES, Op, play

SEQUENCES_PLAYED: Final = 10_000


def ten_thousand_sequences() -> dict[str, Any]:
    """How many were played, what they held, and the first broken rule where there is one."""
    logging.disable(logging.CRITICAL)
    begun_s = time.monotonic()
    counts = {"sequences": 0, "steps": 0, "writes": 0}

    @settings(
        max_examples=SEQUENCES_PLAYED,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(SEQUENCES, st.booleans(), st.booleans())
    def no_rule_breaks(ops: list[Op], lift_lock: bool, ends_limits: bool) -> None:
        terminal = play(ops, lift_lock=lift_lock, ends_limits=ends_limits)
        counts["sequences"] += 1
        counts["steps"] += len(ops)
        counts["writes"] += len(terminal.written)
        assert terminal.broken == [], f"{terminal.broken[0]} by {ops}"

    broken = ""
    try:
        no_rule_breaks()
    except AssertionError as error:
        broken = str(error)
    finally:
        logging.disable(logging.NOTSET)
    return {"good": not broken, "broken": broken, **counts, "seconds": round(time.monotonic() - begun_s)}
