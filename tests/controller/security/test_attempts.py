"""Refused attempts: none unseen, none that floods the trail."""

from lamplighter_controller.security.attempts import GATHERED_S, MANY, MOST_KINDS, Attempt, Attempts


def attempt(who: str = "token:x", rule: str = "forbidden") -> Attempt:
    return Attempt(who, "10.0.0.1", "POST /commands", rule, 403)


def test_the_first_is_told_at_once_and_the_rest_counted():
    attempts = Attempts()
    first = attempts.note(attempt(), 0.0, 1_000)
    assert first is not None
    assert (first.who, first.action, first.subject, first.reason, first.result) == (
        "token:x",
        "refused",
        "POST /commands",
        "forbidden",
        "refused",
    )
    assert first.detail == {"address": "10.0.0.1", "status": 403, "count": 1}
    assert [attempts.note(attempt(), 1.0, 2_000) for _ in range(41)] == [None] * 41
    assert attempts.due(GATHERED_S - 1, 3_000) == []
    (gathered,) = attempts.due(GATHERED_S, 61_000)
    assert gathered.detail == {"address": "10.0.0.1", "status": 403, "count": 41, "since_ms": 1_000}


def test_one_alone_is_told_once_and_again_a_minute_later():
    attempts = Attempts()
    attempts.note(attempt(), 0.0, 0)
    assert attempts.due(GATHERED_S, 0) == []
    assert attempts.note(attempt(), GATHERED_S, 0) is not None


def test_other_attempts_are_told_apart():
    attempts = Attempts()
    assert all(attempts.note(attempt(f"token:{n}"), 0.0, 0) for n in range(20))
    assert attempts.note(attempt(rule="cross-site"), 0.0, 0) is not None


def test_a_flood_of_kinds_is_counted_in_one():
    attempts = Attempts()
    told = [attempts.note(attempt(f"token:{n}"), 0.0, 0) for n in range(MOST_KINDS + 500)]
    recorded = [entry for entry in told if entry]
    assert len(recorded) == MOST_KINDS + 1
    assert recorded[-1].who == MANY
    counted = {entry.who: entry.detail["count"] for entry in attempts.due(GATHERED_S, 0)}
    assert counted == {MANY: 499}
