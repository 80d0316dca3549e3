"""The controller as a program: the one place where its parts are put together, started and stopped."""

import asyncio
import contextlib
import logging
import random
import secrets
import signal
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from lamplighter_contract.clock import CivilScale, Clock, SystemClock
from lamplighter_contract.ids import uuid7
from lamplighter_contract.wire.topics import CONTROLLER_STATE, UP_FILTER
from lamplighter_controller import control, first_start
from lamplighter_controller.actions import ProgramActions
from lamplighter_controller.api.create import create_api
from lamplighter_controller.api.services import City, Services
from lamplighter_controller.commands.dispatch import Dispatch, Surroundings
from lamplighter_controller.config import BrokerConfig, Config
from lamplighter_controller.diagnosis.engine import Around, diagnosis
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis_setup import SupplyMap, rain_told, rules_of, sight_of
from lamplighter_controller.errors import ControllerError
from lamplighter_controller.events import Events
from lamplighter_controller.evidence_setup import evidence_of
from lamplighter_controller.fleet_setup import fleet_of
from lamplighter_controller.handover_keeper import HandoverKeeper
from lamplighter_controller.hold import HELD, RESTORED, WHY, Hold, Standing
from lamplighter_controller.hold import begin as begin_hold
from lamplighter_controller.intake import store
from lamplighter_controller.intake.engine import Identity, Intake, Registry
from lamplighter_controller.keys_keeper import KeysKeeper
from lamplighter_controller.ledger.engine import Ledger, open_ledger
from lamplighter_controller.ledger.errors import LedgerUnavailable
from lamplighter_controller.lighting.adaptive.engine import SignalKeeper
from lamplighter_controller.lighting.desk import PlanDesk
from lamplighter_controller.lighting.engine import PlanKeeper
from lamplighter_controller.lighting.overrides.desk import OverrideDesk
from lamplighter_controller.lighting.proof.desk import ProofDesk
from lamplighter_controller.lighting.proof.engine import ProofKeeper
from lamplighter_controller.lighting.proof.night_work import NightWork
from lamplighter_controller.lighting.scenes.desk import SceneDesk
from lamplighter_controller.lighting.upkeep import LightUpkeep
from lamplighter_controller.link.mqtt import Broker, MqttLink
from lamplighter_controller.link.port import Message, Will
from lamplighter_controller.losses import Losses
from lamplighter_controller.maintenance_setup import maintenance_of
from lamplighter_controller.rollout.configs import ConfigKeeper
from lamplighter_controller.rollout.engine import RolloutKeeper
from lamplighter_controller.rollout.files import Bundles, FileServer
from lamplighter_controller.security.keys import Keys
from lamplighter_controller.series.factory import open_series
from lamplighter_controller.series.port import Series, SeriesUnavailable
from lamplighter_controller.server import HttpServer
from lamplighter_controller.support import SupportDesk
from lamplighter_controller.twin.columns import Twin
from lamplighter_controller.twin.restore import restore_devices, restore_values
from lamplighter_controller.upkeep import Upkeep

log = logging.getLogger(__name__)

T = TypeVar("T")

OPEN_TRIES: Final = 30
OPEN_RETRY_S: Final = 1.0
RESTORE_RETRY_S: Final = 2.0
FAREWELL_S: Final = 1.0
KEEP_S: Final = 3.0
CLOSE_S: Final = 1.0
FUTURE_REAL_MS: Final = 60_000  # how far a gateway's clock may be ahead of ours
FUTURE_CIVIL_MS: Final = 600_000


class _Stop(ControllerError):
    """Somebody asked the program to stop."""


@dataclass(frozen=True, slots=True)
class Foundation:
    """What was opened and found before anything runs."""

    config: Config
    scale: CivilScale
    clock: Clock
    ledger: Ledger
    series: Series
    keys: Keys
    identity: Identity
    hold: Hold


async def run(config: Config, tell: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT; `tell` shows a person where the console is.

    Raises:
        ControllerError: it cannot start; the message says what to do.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    with contextlib.ExitStack() as held:
        held.enter_context(first_start.own_folder(config.data))
        server = HttpServer(config.http)
        scale = config.scale()
        clock = SystemClock(scale)
        settings = config.series_settings()
        ledger = await _patiently("ledger", LedgerUnavailable, stop, partial(open_ledger, config.ledger_url))
        try:
            series = await _patiently("series store", SeriesUnavailable, stop, partial(open_series, settings))
            try:
                foundation, token = await _found(config, scale, clock, ledger, series)
                if token and not config.demo:
                    tell(f"administrator's token: {config.data / first_start.ADMIN_TOKEN_FILE}, to be kept elsewhere")
                console = f"console: {server.url}{f'/#token={token}' if token and config.demo else '/'}"
                await _Program(foundation, server).run(stop, partial(tell, console))
            finally:
                await _close(series)
        finally:
            await _close(ledger)


async def _patiently(
    what: str, failure: type[ControllerError], stop: asyncio.Event, opens: Callable[[], Awaitable[T]]
) -> T:
    """Open a store that may not be there yet, or not answer for a moment."""
    for number in range(1, OPEN_TRIES + 1):
        try:
            return await opens()
        except failure as error:
            if number == OPEN_TRIES or stop.is_set():
                raise
            if number == 1:
                log.warning("waiting for the %s: %s", what, error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), OPEN_RETRY_S)
    raise AssertionError


async def _found(
    config: Config, scale: CivilScale, clock: Clock, ledger: Ledger, series: Series
) -> tuple[Foundation, str | None]:
    """Everything that is read or made once at a start, and the text of a token that was made."""
    wall_ms = clock.wall_ms()
    known = await ledger.read(store.has_started)
    keys = first_start.find_keys(config, known=known, wall_ms=wall_ms)
    epoch = await ledger.write(lambda connection: store.begin_epoch(connection, wall_ms))
    await ledger.write(lambda connection: first_start.enrol(connection, config.enrolled, wall_ms))
    token = await ledger.write(lambda connection: first_start.first_token(connection, config, wall_ms))
    restored = config.data / RESTORED
    if restored.exists():
        await ledger.write(lambda connection: begin_hold(connection, time_ms=wall_ms))
        restored.unlink()
    hold = Hold(await ledger.read(store.is_held))
    identity = Identity(config.controller, uuid7(wall_ms, secrets.token_bytes(10)), epoch)
    log.info("%s starts epoch %d%s", config.controller, epoch, ", held" if hold.held else "")
    return Foundation(config, scale, clock, ledger, series, keys, identity, hold), token


async def _close(opened: Ledger | Series) -> None:
    try:
        async with asyncio.timeout(CLOSE_S):
            await opened.close()
    except TimeoutError:
        log.warning("%s was still busy and is left to its log", type(opened).__name__)


class _Program:
    """The parts of one run, joined."""

    def __init__(self, on: Foundation, server: HttpServer) -> None:
        self._on, self._server = on, server
        config, clock = on.config, on.clock
        self._events, self._twin = Events(), Twin()
        registry = Registry.begin(on.ledger, self._events, clock, on.scale.rate)
        will = Will(CONTROLLER_STATE, on.identity.state(online=False, storing=False))
        self._link = MqttLink(_broker(config.broker, config), [UP_FILTER, CONTROLLER_STATE], self._receive, will=will)
        self._handovers = HandoverKeeper(
            self._link, on.ledger, on.keys.signer, registry.gateways, registry.alarms, lambda: on.hold.held
        )
        standing = Standing(registry.gateways, on.hold, self._handovers.awaited)
        generator = random.SystemRandom()
        self._dispatch = Dispatch(
            Surroundings(on.ledger, self._link, on.keys.signer, self._twin, standing, self._events, clock, generator)
        )
        stores = on.ledger, on.series
        self._evidence = evidence_of(config, stores, on.keys, self._dispatch, self._events, clock)
        self._configs = ConfigKeeper(
            self._link, on.ledger, on.keys.signer, registry.gateways, registry.alarms, clock, lambda: on.hold.held
        )
        bundles = Bundles(config.data)
        self._files = FileServer(self._link, registry.gateways, bundles)
        self._rollouts = RolloutKeeper(
            on.ledger, self._dispatch, registry.gateways, bundles, registry.alarms, clock, secrets.token_bytes
        )
        self._support = SupportDesk(config.data, on.ledger, self._evidence.desk)
        self._support.open()
        self._intake = Intake(
            on.identity,
            self._link,
            on.ledger,
            on.series,
            self._twin,
            self._dispatch,
            self._events,
            clock,
            registry,
            future_ms=max(FUTURE_CIVIL_MS, round(FUTURE_REAL_MS * on.scale.rate)),
            files=self._support,
        )
        self._keeper = KeysKeeper(self._link, registry.gateways, registry.alarms, on.keys.document)
        losses = Losses(on.series, self._dispatch, registry.gateways, registry.alarms)
        self._plans = PlanKeeper(
            self._link, on.ledger, on.keys.signer, registry.gateways, registry.alarms, lambda: on.hold.held
        )
        self._overrides = OverrideDesk(on.ledger, self._twin, self._dispatch, clock)
        self._signals = SignalKeeper(
            self._link,
            on.ledger,
            on.keys.signer,
            registry.gateways,
            registry.alarms,
            self._twin,
            clock,
            on.scale.rate,
            lambda: on.hold.held,
        )
        self._light = LightUpkeep(
            on.ledger,
            self._twin,
            registry.gateways,
            self._overrides,
            self._events,
            clock,
            lambda: on.hold.held,
            self._plans.wake,
        )
        work = NightWork(on.ledger, on.series, self._twin, clock, config.city.zone, on.scale.rate)
        self._proof = ProofDesk(work, config.series.raw_days)
        self._proof_keeper = ProofKeeper(self._proof, self._events, registry.alarms)
        around = Around(
            on.ledger,
            on.series,
            self._twin,
            self._events,
            self._dispatch,
            clock,
            SupplyMap(on.ledger, self._twin, config.diagnosis).find,
            partial(sight_of, registry.gateways),
            partial(rain_told, self._signals.standings, config.diagnosis.rain_signal),
        )
        rules, rate = rules_of(config, on.scale.rate), on.scale.rate
        settings = Settings(period_s=config.diagnosis.reading_s * rate)
        self._diagnosis = diagnosis(around, config.data, rules, settings, rate)
        self._fleet = fleet_of(config, stores, self._twin, self._events, self._dispatch, clock, registry, rate)
        rooms = self._diagnosis, self._proof
        self._maintenance = maintenance_of(
            config, stores, self._twin, self._events, self._dispatch, rooms, registry.alarms, clock, rate
        )
        self._upkeep = Upkeep(on.ledger, on.series, clock, registry.alarms, losses)
        self._actions = ProgramActions(
            config,
            on.identity,
            on.ledger,
            on.series,
            self._intake,
            self._keeper,
            self._handovers,
            on.hold,
            clock,
            (self._plans.wake, self._light.wake, self._signals.wake),
            on.keys,
            (self._plans.connected, self._signals.connected),
        )
        for callback in (
            self._intake.connected,
            self._keeper.connected,
            self._handovers.connected,
            self._configs.connected,
            self._plans.connected,
            self._signals.connected,
            self._dispatch.link_up,
        ):
            self._link.on_up(callback)

    async def run(self, stop: asyncio.Event, up: Callable[[], None]) -> None:
        """Run all tasks until `stop`, telling when it is `up`; what one of them dies of ends the program."""
        await restore_devices(self._twin, self._on.ledger)
        await self._intake.load()
        await self._handovers.load()
        if self._on.hold.held:
            self._intake.alarms.raised(HELD, WHY)
        await self._actions.begin()
        commands = await control.serve(self._on.config.control_socket, self._actions.handlers())
        up()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._link.run(), name="link")
                group.create_task(self._intake.run(), name="intake")
                group.create_task(self._dispatch.run(), name="commands")
                group.create_task(self._keeper.run(), name="keys")
                group.create_task(self._handovers.run(), name="handovers")
                group.create_task(self._configs.run(), name="configs")
                group.create_task(self._files.run(), name="files")
                group.create_task(self._rollouts.run(), name="rollouts")
                group.create_task(self._plans.run(), name="plans")
                group.create_task(self._light.run(), name="lighting")
                group.create_task(self._signals.run(), name="signals")
                group.create_task(self._upkeep.run(), name="upkeep")
                group.create_task(self._diagnosis.run(), name="diagnosis")
                group.create_task(self._proof_keeper.run(), name="proof")
                group.create_task(self._fleet.run(), name="fleet")
                group.create_task(self._evidence.keeper.run(), name="evidence")
                group.create_task(self._maintenance.run(), name="maintenance")
                group.create_task(self._restore(), name="twin-restore")
                group.create_task(self._server.run(create_api(self._services())), name="http")
                group.create_task(self._stop_on(stop), name="stop")
        except* _Stop:
            log.info("stopped")
        finally:
            commands.close()
            self._on.config.control_socket.unlink(missing_ok=True)

    def _receive(self, message: Message) -> None:
        if message.topic == CONTROLLER_STATE:
            self._intake.controller_state(message.payload)
        elif not self._files.receive(message):
            self._intake.reception.receive(message)

    def _services(self) -> Services:
        on, config = self._on, self._on.config
        return Services(
            controller=config.controller,
            keys=on.keys,
            clock=on.clock,
            city=City(config.city.name, config.city.zone, on.scale.rate, config.city.where),
            ledger=on.ledger,
            series=on.series,
            twin=self._twin,
            gateways=self._intake.gateways,
            alarms=self._intake.alarms,
            commands=self._dispatch,
            letters=self._intake.replayer,
            events=self._events,
            actions=self._actions,
            plans=PlanDesk(
                on.ledger,
                self._twin,
                self._intake.gateways,
                on.clock,
                config.city.zone,
                lambda: on.hold.held,
                self._plans.wake,
            ),
            overrides=self._overrides,
            signals=self._signals,
            scenes=SceneDesk(on.ledger, self._twin, self._intake.gateways, on.clock, on.scale.rate, self._light.wake),
            proof=self._proof,
            diagnosis=self._diagnosis,
            fleet=self._fleet,
            cases=self._evidence.cases,
            evidence=self._evidence.desk,
            support=self._support,
            rollouts=self._rollouts,
            configs=self._configs,
            maintenance=self._maintenance,
            session_key=first_start.session_key(config.data),
        )

    async def _restore(self) -> None:
        """What was read last is a comfort, not a need: live readings may come first."""
        while True:
            try:
                await restore_values(self._twin, self._on.series, self._on.clock.civil_ms())
            except SeriesUnavailable as error:
                log.info("the last readings cannot be read yet: %s", error)
                await asyncio.sleep(RESTORE_RETRY_S)
            else:
                return

    async def _stop_on(self, stop: asyncio.Event) -> None:
        await stop.wait()
        log.info("stopping")
        await self._server.stop()
        with contextlib.suppress(TimeoutError, LedgerUnavailable):
            async with asyncio.timeout(FAREWELL_S):
                await self._intake.farewell()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(KEEP_S):
                await self._diagnosis.keep()
                await self._fleet.keep()
        raise _Stop


def _broker(broker: BrokerConfig, config: Config) -> Broker:
    context = None
    if broker.tls is not None:
        context = ssl.create_default_context(cafile=str(broker.tls.ca))
        if broker.tls.certificate and broker.tls.key:
            context.load_cert_chain(broker.tls.certificate, broker.tls.key)
    name = f"lamplighter-{config.controller}"
    return Broker(broker.host, broker.port, name, broker.user, config.broker_password(), context, broker.keepalive_s)


def supervise(config: Config, tell: Callable[[str], None]) -> int:
    """Run the program and turn its end into an exit code: 0 stopped, 1 it could not go on."""
    try:
        asyncio.run(run(config, tell))
    except ControllerError as error:
        log.critical("%s", error)
        return 1
    except Exception:
        log.critical("the controller ends; its service manager is to start it again", exc_info=True)
        return 1
    return 0
