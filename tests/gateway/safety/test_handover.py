"""Another box in a gateway's place: what was isolated and locked comes first, and only then anything is energised."""

import pytest

from lamplighter_contract.commands.command import Operation
from lamplighter_contract.commands.signing import Signer
from lamplighter_contract.light.plans.plan import Circuit
from lamplighter_contract.wire.handover import HandoverDocument, Held, Owed
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.safety import work
from tests.gateway.fakes import until
from tests.gateway.plans import signed, steady
from tests.gateway.rig import GATEWAY, KEY, LAMPS
from tests.gateway.safety.test_holds import CIRCUIT, SupplyRig

HELD = Held(CIRCUIT, "isolated", "user:crew", "0190", 70, 1_763_650_000_000)
LIT = steady(version=4, generation=2, circuits=(Circuit(CIRCUIT, lamps=LAMPS),))


def handover(*holds, generation=2, signer=KEY, gateway=GATEWAY, owed=()):
    return signer.sign(HandoverDocument(gateway, generation, holds, owed).as_json())


@pytest.fixture
def rig(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "LOOK_S", 0.01)

    class Dark(SupplyRig):
        closed = False

    return Dark(tmp_path)


async def test_a_plan_waits_for_the_handover_and_an_isolated_circuit_stays_open(rig):
    async with rig.running() as gateway:
        rig.link.send(Down.PLAN, signed(LIT), retained=True)
        handled = rig.link.handled
        await until(lambda: rig.link.handled > handled)
        assert gateway._plans.version == 0
        rig.link.send(Down.HANDOVER, handover(HELD), retained=True)
        await until(lambda: gateway._plans.version == 4)
        await until(lambda: rig.levels["lamp-1"] == 70)
        assert not rig.cabinet.closed
        assert 1.0 not in rig.cabinet.writes
        birth = gateway._about.birth()
        assert (birth.generation, birth.isolated) == (2, (CIRCUIT,))
        assert (await rig.done(Operation.SUPPLY_RESTORE))["state"] == "verified"
        assert rig.cabinet.closed


@pytest.mark.parametrize("order", [(Down.PLAN, Down.HANDOVER), (Down.HANDOVER, Down.PLAN)])
async def test_retained_documents_may_come_before_the_keys_in_any_order(rig, order):
    documents = {Down.PLAN: signed(LIT), Down.HANDOVER: handover(HELD)}
    keys = rig.link.send
    rig.link.send = lambda *_, **__: None  # the keys come last
    async with rig.running() as gateway:
        rig.link.send = keys
        for channel in order:
            rig.link.send(channel, documents[channel], retained=True)
        from tests.gateway.rig import keys_document

        rig.link.send(Down.KEYS, keys_document(), retained=True)
        await until(lambda: gateway._plans.version == 4)
        assert gateway.journal.holds.isolated(CIRCUIT)
        assert not rig.cabinet.closed


async def test_it_is_taken_once_and_a_restore_is_not_undone_by_its_coming_again(rig):
    async with rig.running() as gateway:
        rig.link.send(Down.HANDOVER, handover(HELD), retained=True)
        await until(lambda: gateway.journal.generation == 2)
        await rig.done(Operation.SUPPLY_RESTORE)
        rig.link.send(Down.HANDOVER, handover(HELD), retained=True)
        handled = rig.link.handled
        await until(lambda: rig.link.handled > handled)
        assert not gateway.journal.holds.isolated(CIRCUIT)
    async with rig.running() as gateway:
        assert gateway.journal.generation == 2


async def test_what_is_owed_to_trucks_is_taken_over(rig):
    owed = Owed("truck-1", "speed", 20.0, 1_763_650_000_000, 1_763_650_000_000, "0191", 71, True)
    async with rig.running() as gateway:
        rig.link.send(Down.HANDOVER, handover(owed=(owed,)), retained=True)
        await until(lambda: len(gateway.journal.limits) == 1)
        [limit] = gateway.journal.limits.values()
        assert (limit.device, limit.released, limit.sent) == ("truck-1", True, 20.0)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", "malformed"),
        (handover(HELD, signer=Signer("k1", bytes(32))), "signature"),
        (handover(HELD, gateway="gw-8"), "address"),
        (KEY.sign({"v": 1, "gateway": GATEWAY, "generation": 0}), "malformed"),
        (KEY.sign({"v": 2, "gateway": GATEWAY, "generation": 2}), "version"),
    ],
)
async def test_a_forged_or_broken_one_is_refused(rig, payload, reason):
    async with rig.running() as gateway:
        rig.link.send(Down.HANDOVER, payload, retained=True)
        await until(lambda: any(e["event"] == f"handover.refused.{reason}" for e in rig.link.events()))
        assert gateway.journal.generation == 0


async def test_an_isolation_outlives_a_ledger_that_is_spoilt(rig):
    async with rig.running():
        await rig.done(Operation.SUPPLY_ISOLATE)
    for name in ("desired.db", "desired.db-wal"):
        (rig.folder / name).unlink(missing_ok=True)
    (rig.folder / "desired.db").write_bytes(b"nothing of ours" * 100)
    async with rig.running() as gateway:
        assert gateway.journal.holds.isolated(CIRCUIT)
