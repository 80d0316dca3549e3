"""May this command act? One row per reason, in the contract's order."""

from dataclasses import replace

import orjson
import pytest

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.command import Operation, Target
from lamplighter_contract.commands.signing import Keyring, KeysDocument, PublicKey, Signer, encode_key
from lamplighter_contract.commands.states import CommandState
from lamplighter_contract.errors import Reason
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.limits import MAX_OVERRIDE_MS
from lamplighter_gateway.commands.acceptance import Accepted, Facts, Refused, Repeated, judge
from tests.gateway.fakes import MemoryLink, lamp_entry
from tests.gateway.rig import GATEWAY, KEY, Centre

CLOCK = ManualClock()
NOW = CLOCK.wall_ms()
KEYS = Keyring(
    KeysDocument(
        1,
        (
            PublicKey(KEY.kid, encode_key(KEY.public), 0, 2**52),
            PublicKey("old", encode_key(KEY.public), 0, NOW),
        ),
    )
)
FACTS = Facts(
    gateway=GATEWAY,
    keyring=KEYS,
    wall_ms=NOW,
    civil_ms=NOW,
    clock_trusted=True,
    begins_ms=0,
    highest_seq=2000,
    seen={"seen-1"},
    used={1990, 2000},
    last_of={"lamp-1": 2000, "lamp-2": 900},
    entries={
        "lamp-1": lamp_entry("lamp-1"),
        "lamp-2": lamp_entry("lamp-2"),
        "cab-1": DeviceEntry("cab-1", Kind.CABINET, "cabinet-meter", "b/1"),
        "dumb": DeviceEntry("dumb", Kind.LAMP, "meter-only", "b/2"),
    },
)


def make(seq=2001, signer=KEY, operation=Operation.LIGHT_SET, devices=("lamp-1",), args=None, **changes):
    centre = Centre(MemoryLink(GATEWAY), CLOCK)
    if args is None:
        args = {"level_percent": 50, "until": NOW + 60_000} if operation is Operation.LIGHT_SET else {}
    command = centre.command(operation, args, devices, seq=seq, **changes)
    return orjson.loads(signer.sign(command.as_json()))


def tampered(**fields):
    return make() | fields


REFUSED = [
    ("another key", make(signer=Signer("k2", bytes(32))), Reason.KEY),
    ("a key of the same name", make(signer=Signer("k1", bytes(32))), Reason.SIGNATURE),
    ("a key not in force", make(signer=Signer("old", bytes(range(1, 33)))), Reason.KEY),
    ("no signature", {k: v for k, v in make().items() if k != "sig"}, Reason.SIGNATURE),
    ("a changed level", tampered(args={"level_percent": 0, "until": NOW + 60_000}), Reason.SIGNATURE),
    ("an added field", tampered(extra=1), Reason.SIGNATURE),
    ("nothing", {}, Reason.KEY),
    ("another major version", make(v=2), Reason.VERSION),
    ("another gateway", make(gateway="gw-8"), Reason.ADDRESS),
    ("too late", make(expires=NOW), Reason.EXPIRED),
    ("late and seen by number", make(seq=2000, expires=NOW), Reason.EXPIRED),
    ("a number used", make(seq=1990), Reason.SEQUENCE),
    ("a number too old", make(seq=2000 - 1024), Reason.SEQUENCE),
    ("a life of more than a day", make(expires=NOW + 25 * 3_600_000), Reason.TOO_LONG),
    ("no until", make(args={"level_percent": 50}), Reason.ARGUMENT),
    ("until in the past", make(args={"level_percent": 50, "until": NOW}), Reason.ARGUMENT),
    ("until in 2099", make(args={"level_percent": 50, "until": 4_070_908_800_000}), Reason.ARGUMENT),
    ("until tomorrow", make(args={"level_percent": 50, "until": NOW + 24 * 3_600_000}), Reason.ARGUMENT),
    ("a level beyond full", make(args={"level_percent": 101, "until": NOW + 60_000}), Reason.ARGUMENT),
    ("a group", make(devices=(), target=Target(group="g", plan_version=3)), Reason.PLAN_VERSION),
    ("an unknown device", make(devices=("lamp-99",)), Reason.UNKNOWN_DEVICE),
    ("another kind", make(devices=("cab-1",)), Reason.OPERATION),
    ("a lamp that cannot", make(devices=("dumb",)), Reason.OPERATION),
]


@pytest.mark.parametrize(("document", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(document, reason):
    verdict = judge(document, FACTS)
    assert isinstance(verdict, Refused)
    assert verdict.refusal.reason is reason


@pytest.mark.parametrize("seq", [2001, 1999, 977, 2**53 - 1])
def test_a_number_unused_and_within_the_window_is_taken(seq):
    assert isinstance(judge(make(seq=seq, devices=("lamp-2",)), FACTS), Accepted)


@pytest.mark.parametrize("ahead_ms", [0, 60_000])
def test_the_longest_life_of_a_level_is_taken_from_a_centre_whose_clock_is_a_little_ahead(ahead_ms):
    document = make(args={"level_percent": 50, "until": NOW + MAX_OVERRIDE_MS + ahead_ms})
    assert isinstance(judge(document, FACTS), Accepted)


def test_an_id_seen_is_a_repeat_even_when_late():
    assert judge(make(id="seen-1", expires=NOW - 1, issued=NOW - 9), FACTS) == Repeated("seen-1")


def test_what_was_issued_before_the_memory_begins_is_a_replay():
    verdict = judge(make(issued=NOW - 10), replace(FACTS, begins_ms=NOW - 5))
    assert isinstance(verdict, Refused)
    assert verdict.refusal.reason is Reason.REPLAYED


def test_a_device_ignores_what_is_older_than_its_last():
    verdict = judge(make(seq=1995, devices=("lamp-1", "lamp-2", "lamp-99")), FACTS)
    assert isinstance(verdict, Accepted)
    assert verdict.devices == ("lamp-2",)
    assert [(part.device, part.state) for part in verdict.refused] == [
        ("lamp-1", CommandState.SUPERSEDED),
        ("lamp-99", CommandState.REJECTED),
    ]


def test_superseded_whole():
    verdict = judge(make(seq=1995), FACTS)
    assert isinstance(verdict, Refused)
    assert verdict.state is CommandState.SUPERSEDED


def test_a_read_supersedes_nothing_and_is_not_superseded():
    assert isinstance(
        judge(make(seq=1995, operation=Operation.DEVICE_READ, devices=("lamp-1", "cab-1")), FACTS), Accepted
    )


WITHOUT_CLOCK = [
    (make(args={"level_percent": 100, "until": NOW - 10**9}), True),
    (make(), False),
    (make(operation=Operation.LIGHT_RESUME), True),
    (make(operation=Operation.DEVICE_READ), True),
    (make(operation=Operation.LIGHT_IDENTIFY, args={"seconds": 3}), False),
    (make(operation=Operation.GATEWAY_RESTART, devices=()), False),
]


@pytest.mark.parametrize(("document", "accepted"), WITHOUT_CLOCK)
def test_without_a_trusted_clock_reads_releases_and_full_light_only(document, accepted):
    verdict = judge(document, replace(FACTS, clock_trusted=False))
    assert isinstance(verdict, Accepted) is accepted
    if isinstance(verdict, Refused):
        assert verdict.refusal.reason is Reason.CLOCK


@pytest.mark.parametrize("wall_ms", [0, NOW - 9 * 365 * 86_400_000, NOW + 9 * 365 * 86_400_000])
@pytest.mark.parametrize(("document", "accepted"), WITHOUT_CLOCK)
def test_whatever_an_untrusted_clock_says_changes_nothing(document, accepted, wall_ms):
    keys = Keyring(KeysDocument(1, (PublicKey(KEY.kid, encode_key(KEY.public), NOW - 1000, NOW + 1000),)))
    facts = replace(FACTS, clock_trusted=False, wall_ms=wall_ms, civil_ms=wall_ms, keyring=keys)
    assert isinstance(judge(document, facts), Accepted) is accepted


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (make(args={"level_percent": 100, "until": NOW}, seq=1990), Reason.SEQUENCE),
        (make(args={"level_percent": 100, "until": NOW}, issued=NOW - 2000, expires=NOW), Reason.KEY),
        (make(args={"level_percent": 100, "until": NOW}, signer=Signer("k1", bytes(32))), Reason.SIGNATURE),
    ],
)
def test_without_a_trusted_clock_number_and_signature_hold(document, reason):
    keys = Keyring(KeysDocument(1, (PublicKey(KEY.kid, encode_key(KEY.public), NOW - 1000, NOW + 1000),)))
    verdict = judge(document, replace(FACTS, clock_trusted=False, wall_ms=0, civil_ms=0, keyring=keys))
    assert isinstance(verdict, Refused)
    assert verdict.refusal.reason is reason


def test_a_memory_begun_by_a_wrong_clock_keeps_no_light_away():
    document = make(args={"level_percent": 100, "until": NOW}, seq=2001)
    facts = replace(FACTS, clock_trusted=False, begins_ms=NOW + 10**11)
    assert isinstance(judge(document, facts), Accepted)


def test_a_repeat_is_a_repeat_without_a_clock():
    document = make(id="seen-1", args={"level_percent": 100, "until": NOW})
    assert judge(document, replace(FACTS, clock_trusted=False, wall_ms=0)) == Repeated("seen-1")


def test_only_what_is_proven_to_be_for_us_is_answered_by_id():
    unproven = {Reason.KEY, Reason.SIGNATURE, Reason.ADDRESS}
    for name, document, reason in REFUSED:
        verdict = judge(document, FACTS)
        assert isinstance(verdict, Refused)
        assert bool(verdict.id) is (reason not in unproven), name


def test_only_authentic_refusals_for_us_are_remembered():
    remembered = {name for name, document, _ in REFUSED if judge(document, FACTS).command is not None}  # type: ignore[union-attr]
    assert "a changed level" not in remembered
    assert "another gateway" not in remembered
    assert "a number used" not in remembered
    assert {"too late", "an unknown device", "no until"} <= remembered
