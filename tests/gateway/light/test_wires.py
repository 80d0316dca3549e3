"""A plan down to the registers: lamps and a contactor on a real Modbus TCP connection."""

import contextlib
import sqlite3
from random import Random

from lamplighter_contract.light.plans.plan import Assignment, Circuit
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.topics import Down
from lamplighter_gateway.app import Gateway
from lamplighter_gateway.config.model import Device
from lamplighter_gateway.drivers.modbus.bus import ModbusBus
from lamplighter_gateway.settings import Settings
from tests.gateway.drivers.rig import PROFILES, lamps, tcp
from tests.gateway.drivers.units import LAMP, TcpServer, Units
from tests.gateway.fakes import lamp_entry, until
from tests.gateway.plans import signed, steady
from tests.gateway.rig import FAST, GATEWAY, ROOT, Rig

CABINET, CONTACTOR = 240, 100
NAMES = tuple(f"lamp-{n}" for n in range(1, 5))


class WireRig(Rig):
    """The gateway on a real bus."""

    def __init__(self, folder, port):
        super().__init__(folder)
        self.port = port

    def _drivers(self, sink):
        circuit = Device("circuit-1", "bus", PROFILES["circuit-contactor"], unit=CABINET, offset=CONTACTOR, poll_s=0.05)
        return {"bus": ModbusBus(tcp(self.port), [*lamps(4), circuit], self.clock, sink, Random(1))}

    def build(self, fault=None):
        entries = [*map(lamp_entry, NAMES), DeviceEntry("circuit-1", Kind.CIRCUIT, "circuit-contactor", "bus/240+100")]
        self.gateway = Gateway(
            Settings(GATEWAY, self.folder, ROOT.public, timing=FAST),
            entries,
            {entry.device: "bus" for entry in entries},
            self._drivers,
            self.link,
            self.clock,
            self.reports,
        )
        return self.gateway


def plan(version, percent):
    its = Assignment("all", devices=NAMES)
    circuit = Circuit("circuit-1", lead_min=0, lag_min=0, lamps=NAMES)
    return signed(steady(version, percent, assignments=(its,), circuits=(circuit,)))


async def test_lamps_and_their_contactor_follow_the_plan_over_the_wire(tmp_path):
    units = Units([*range(1, 5), CABINET], LAMP)
    units.registers[CABINET] |= {CONTACTOR: 0, CONTACTOR + 1: 0, CONTACTOR + 2: 0, CONTACTOR + 3: 0}

    def show(percent, closed):
        dims = [units.registers[unit][1] for unit in range(1, 5)]
        return dims == [percent] * 4 and units.registers[CABINET][CONTACTOR] == closed

    async with TcpServer(units) as server:
        rig = WireRig(tmp_path, server.port)
        async with rig.running():
            rig.link.send(Down.PLAN, plan(1, 71), retained=True)
            await until(lambda: show(71, 1))
            rig.link.send(Down.PLAN, plan(2, 0), retained=True)
            await until(lambda: units.registers[1][1] == 0)
            assert units.registers[CABINET][CONTACTOR] == 1, "a relay rests a minute between two switchings"
        with contextlib.closing(sqlite3.connect(tmp_path / "desired.db")) as kept, kept:
            kept.execute("UPDATE switched SET at = at - 120000")  # a restart forgets no rest, two minutes do
        async with rig.running():
            await until(lambda: show(0, 0))
