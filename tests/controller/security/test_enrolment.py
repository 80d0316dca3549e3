"""Gateways are accepted, replaced and revoked, each time with a row in the trail."""

import pytest

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller.security import audit, enrolment

BY = {"who": "user:li", "reason": "pole 7", "time_ms": 1000}


def do(what, gateway="gw-1", **changed):
    return lambda connection: what(connection, gateway, **(BY | changed))


async def test_an_enrolled_gateway_is_accepted_until_revoked(ledger):
    assert await ledger.read(enrolment.accepted) == frozenset()
    await ledger.write(do(enrolment.enrol))
    await ledger.write(do(enrolment.enrol, "gw-2"))
    assert await ledger.read(enrolment.accepted) == {"gw-1", "gw-2"}
    await ledger.write(do(enrolment.revoke, time_ms=2000))
    assert await ledger.read(enrolment.accepted) == {"gw-2"}
    assert [(one.gateway, one.revoked_ms) for one in await ledger.read(enrolment.every)] == [
        ("gw-1", 2000),
        ("gw-2", None),
    ]


async def test_a_replacement_takes_over_the_identity(ledger):
    await ledger.write(do(enrolment.enrol))
    replaced = await ledger.write(do(enrolment.replace, who="user:wang", time_ms=2000))
    assert replaced == enrolment.Enrolled("gw-1", 2, 2000, "user:wang", None)
    assert await ledger.read(lambda connection: enrolment.find(connection, "gw-1")) == replaced


async def test_a_revoked_gateway_may_come_back(ledger):
    await ledger.write(do(enrolment.enrol))
    await ledger.write(do(enrolment.revoke))
    again = await ledger.write(do(enrolment.enrol, time_ms=3000))
    assert (again.generation, again.revoked_ms) == (2, None)
    assert await ledger.read(enrolment.accepted) == {"gw-1"}


@pytest.mark.parametrize(
    ("what", "gateway", "reason"),
    [
        (enrolment.enrol, "GW 1", Reason.MALFORMED),
        (enrolment.enrol, "gw-1", Reason.REPLAYED),
        (enrolment.replace, "gw-9", Reason.UNKNOWN_GATEWAY),
        (enrolment.revoke, "gw-9", Reason.UNKNOWN_GATEWAY),
    ],
)
async def test_what_makes_no_sense_is_refused_and_changes_nothing(ledger, what, gateway, reason):
    await ledger.write(do(enrolment.enrol))
    refusal = await ledger.write(do(what, gateway))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason
    assert len(await ledger.read(audit.newest)) == 1


async def test_every_change_is_in_the_trail(ledger):
    for what in (enrolment.enrol, enrolment.replace, enrolment.revoke):
        await ledger.write(do(what))
    found = [(row.entry.action, row.entry.subject, row.entry.detail) for row in await ledger.read(audit.newest)]
    assert found == [
        ("gateway.revoke", "gateway:gw-1", {"generation": 2}),
        ("gateway.replace", "gateway:gw-1", {"generation": 2}),
        ("gateway.enrol", "gateway:gw-1", {"generation": 1}),
    ]
