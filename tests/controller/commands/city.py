"""A small city in memory: gateways that keep the contract, on a wire that loses, doubles, delays and reorders."""

import asyncio
import random
from collections import defaultdict
from dataclasses import dataclass, field

import orjson

from lamplighter_contract.clock import ManualClock
from lamplighter_contract.commands.command import Command, Operation, read_command
from lamplighter_contract.commands.results import DeviceResult, Result
from lamplighter_contract.commands.signing import Signer, verify
from lamplighter_contract.commands.states import CommandState as S
from lamplighter_contract.commands.states import summary
from lamplighter_contract.errors import Refusal
from lamplighter_contract.quantities import Kind
from lamplighter_contract.wire.documents import DeviceEntry
from lamplighter_contract.wire.topics import Down, parse_down
from lamplighter_controller.commands.dispatch import Dispatch, Surroundings
from lamplighter_controller.commands.model import CommandRequest
from lamplighter_controller.events import CommandChanged, Events, GatewayChanged
from lamplighter_controller.link.port import LinkDown, PublishDenied

SIGNER = Signer("commands-1", bytes(range(32)))
LIGHT = ("light.set", "light.resume", "light.identify")


async def until(condition, timeout_s=10.0):
    """Wait for a condition; it is looked at often."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.002)


@dataclass
class Box:
    """A gateway as the contract wants it: its memory outlives a restart, its results are kept until acknowledged."""

    name: str
    clock: ManualClock
    acted: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    acted_late: list[str] = field(default_factory=list)
    levels: dict[str, float] = field(default_factory=dict)
    newest: dict[str, int] = field(default_factory=dict)
    cached: dict[str, Result] = field(default_factory=dict)
    seqs: set[int] = field(default_factory=set)
    highest: int = 0
    spool: list[Result] = field(default_factory=list)
    silent: bool = False
    n: int = 0

    def receive(self, payload: bytes) -> None:
        """Check and carry out one command as the contract orders it."""
        document = orjson.loads(payload)
        assert verify(document, SIGNER.public) is None
        command = read_command(document)
        assert isinstance(command, Command), command
        assert command.gateway == self.name
        if command.id in self.cached:
            self.spool.append(self.cached[command.id])
        elif self.clock.wall_ms() >= command.expires:
            self._tell(command.id, S.EXPIRED, "expired")
        elif command.seq in self.seqs or command.seq <= self.highest - 1024:
            self._tell(command.id, S.REJECTED, "sequence")
        else:
            self._act(command)

    def _act(self, command: Command) -> None:
        self.seqs.add(command.seq)
        self.highest = max(self.highest, command.seq)
        self._tell(command.id, S.ACCEPTED, "")
        if self.silent:
            return
        self.acted[command.id] += 1
        told = []
        for device in command.target.devices:
            if command.seq < self.newest.get(device, 0):
                told.append(DeviceResult(device, S.SUPERSEDED, "superseded"))
                continue
            self.newest[device] = command.seq
            if command.op is Operation.LIGHT_SET:
                self.levels[device] = command.args["level_percent"]
            told.append(DeviceResult(device, S.VERIFIED, reading={"level_percent": self.levels.get(device)}))
        state = summary(frozenset(one.state for one in told)) if told else S.VERIFIED
        self._tell(command.id, state, "", tuple(told))

    def _tell(self, command: str, state: S, reason: str, devices: tuple[DeviceResult, ...] = ()) -> None:
        self.n += 1
        told = Result(command, self.n, self.clock.civil_ms(), state, reason, devices=devices, highest_seq=self.highest)
        if state not in {S.EXPIRED, S.REJECTED}:
            self.cached[command] = told
        self.spool.append(told)


@dataclass
class Wire:
    """The link of the controller: hands commands to the boxes, with faults when asked for."""

    boxes: dict[str, Box]
    luck: random.Random
    drop: float = 0.0
    double: float = 0.0
    delay: float = 0.0
    up: bool = True
    denied: bool = False
    published: list[tuple[str, bytes]] = field(default_factory=list)
    late: list[tuple[str, bytes]] = field(default_factory=list)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Take a message."""
        assert not retain, "a retained command would be carried out again by whoever subscribes"
        if not self.up:
            raise LinkDown("made to be down")
        if self.denied:
            raise PublishDenied("made to be denied")
        parsed = parse_down(topic)
        assert parsed is not None
        gateway, channel = parsed
        assert channel is Down.COMMAND
        self.published.append((gateway, payload))
        for _ in range(2 if self.luck.random() < self.double else 1):
            if self.luck.random() < self.delay:
                self.late.append((gateway, payload))
            elif self.luck.random() >= self.drop:
                self.boxes[gateway].receive(payload)

    def deliver_late(self) -> None:
        """Hand over what was held back, in another order."""
        self.luck.shuffle(self.late)
        held, self.late = self.late, []
        for gateway, payload in held:
            self.boxes[gateway].receive(payload)

    async def renew(self) -> None:
        """Nothing is retained here."""

    async def run(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


class City:
    """Two gateways with a few lamps each, and the dispatch under test."""

    def __init__(self, ledger, lamps=3, seed=1):
        self.ledger = ledger
        self.clock = ManualClock()
        self.events = Events()
        self.boxes = {name: Box(name, self.clock) for name in ("gw-1", "gw-2")}
        self.wire = Wire(self.boxes, random.Random(seed))
        self.gone: set[str] = set()
        self.refusals: dict[str, Refusal] = {}
        self.owner = {f"lamp-{box[-1]}-{n}": box for box in self.boxes for n in range(1, lamps + 1)}
        self.luck = random.Random(seed)
        self.dispatch = self.new_dispatch()
        self.running: asyncio.Task[None] | None = None
        self.told: list[CommandChanged] = []

    def new_dispatch(self) -> Dispatch:
        return Dispatch(
            Surroundings(self.ledger, self.wire, SIGNER, self, self, self.events, self.clock, random.Random(7))
        )

    def entry(self, device):
        return DeviceEntry(device, Kind.LAMP, "lamp-single", "bus/1", LIGHT) if device in self.owner else None

    def gateway_of(self, device):
        return self.owner.get(device)

    def refusal(self, gateway):
        return self.refusals.get(gateway)

    def online(self, gateway):
        return gateway not in self.gone

    def highest_seq(self, gateway):
        return self.boxes[gateway].highest

    async def start(self):
        self.running = asyncio.create_task(self.dispatch.run())
        await asyncio.sleep(0)

    async def stop(self):
        if self.running is not None:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)
            self.running = None

    async def restart(self):
        """The controller's program ends anyhow and begins anew on the same ledger."""
        await self.stop()
        self.dispatch = self.new_dispatch()
        await self.start()

    async def light(self, *devices, level=60, key=None, expires_s=60.0):
        until_ms = self.clock.civil_ms() + 3_600_000
        wanted = CommandRequest(
            Operation.LIGHT_SET,
            devices,
            {"level_percent": level, "until": until_ms},
            "WO-7",
            key=key,
            expires_s=expires_s,
        )
        return await self.dispatch.submit(wanted, "user:li")

    async def carry(self, *, lose=0.0, double=0.0, mix=False):
        """Bring spooled results to the centre; what is lost stays in the spool, for it was not acknowledged."""
        for box in self.boxes.values():
            told, box.spool = box.spool, []
            kept = [one for one in told if self.luck.random() < lose]
            arriving = [one for one in told if one not in kept]
            arriving += [one for one in arriving if self.luck.random() < double]
            if mix:
                self.luck.shuffle(arriving)
            box.spool += kept
            if arriving:
                assert await self.dispatch.take_results([(box.name, one) for one in arriving]) == ()

    async def pass_time(self, seconds):
        """Let time pass and wait until the engine has looked at it."""
        self.clock.advance(seconds)
        self.dispatch.wake()
        await asyncio.sleep(0)

    def appear(self, gateway):
        self.gone.discard(gateway)
        self.events.publish(GatewayChanged(gateway, online=True))

    async def state(self, submitted) -> S:
        found = await self.dispatch.request(submitted.request.id)
        assert found is not None
        return found.state

    async def until_state(self, submitted, state):
        """Wait until the ledger says so."""
        async with asyncio.timeout(10):
            while await self.state(submitted) is not state:
                await asyncio.sleep(0.002)
