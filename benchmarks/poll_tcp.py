"""Poll → spool → QoS 1 → ack: how many lamps a gateway reads per second, and at what cost.

Four Modbus TCP ports with 250 units each, sixteen registers in one request, every reading changed and reported. Counted
are distinct readings that were acknowledged end to end. The peer polls the same slaves to the same broker.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.meter import BenchmarkError, Window, measure, middle, wait_for
from benchmarks.parts import thingsboard
from benchmarks.parts.centre import acknowledging
from benchmarks.parts.programs import Gateway, polling
from benchmarks.parts.responder import REGISTERS, slaves
from tests.system.servers import Mosquitto

PORTS: Final = 4
UNITS: Final = 250
DEMAND: Final = 1000
SILENT_UNIT: Final = 125
_RUNS: Final = 3
_START_S: Final = 60.0


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of poll-tcp."""
    config = _config(effort)
    rated, maximum = _ours(effort, poll_s=1, silent=()), _ours(effort, poll_s=0, silent=())
    yield Figure("poll-tcp.rate_max", maximum.rate, "lamps/s", config={**config, **_cost(maximum)})
    peer, dead_peer = _peer(effort, ()), {} if effort.quick else _peer(effort, (SILENT_UNIT,))
    rated_config = {**config, "demand_per_s": DEMAND, **_cost(rated)}
    yield Figure("poll-tcp.cores_at_1000", rated.cores, "cores", peer, rated_config)
    yield Figure(
        "poll-tcp.rss_mib", rated.rss_mib, "MiB", peer, {**rated_config, "rss_mib_at_max": round(maximum.rss_mib)}
    )
    yield _loss(effort, rated, maximum, {"dead_unit": dead_peer or "not in quick runs", "all_alive": peer}, config)
    ratio = rated.per_cpu_s / peer["per_cpu_s"] if peer.get("per_cpu_s") else None
    yield Figure("poll-tcp.vs_thingsboard", ratio, "times its lamps per CPU-second", peer, rated_config)


def _loss(effort: Effort, rated: Window, maximum: Window, peer: dict[str, Any], config: dict[str, Any]) -> Figure:
    """Loss of rate among the living units, the worse of rated and maximum demand."""
    living = (UNITS - 1) / UNITS
    losses = {}
    for demand, poll_s, alive in (("at_1000_per_s", 1, rated), ("at_maximum", 0, maximum))[: 1 if effort.quick else 2]:
        window = _ours(effort, poll_s, (SILENT_UNIT,))
        losses[demand] = round(1 - window.rate / alive.rate / living, 4)
    details = {**config, "silent_units": f"1 of {UNITS} on each port", "loss": losses}
    return Figure("poll-tcp.dead_unit_loss", max(losses.values()), "share of the living units' rate", peer, details)


def _ours(effort: Effort, poll_s: float, silent: Sequence[int]) -> Window:
    with ExitStack() as parts:
        broker = parts.enter_context(Mosquitto())
        answering = parts.enter_context(slaves(PORTS, silent))
        acknowledged = parts.enter_context(acknowledging(broker.port))
        gateway = parts.enter_context(Gateway(polling(broker.port, answering.ports, UNITS, poll_s)))
        wait_for("the first thousand acknowledged readings", lambda: acknowledged.value > DEMAND, _START_S)
        measure(lambda: acknowledged.value, [gateway.pid], effort.pick(20 if silent else 5, 2))
        runs, seconds = _runs(effort)
        return middle([measure(lambda: acknowledged.value, [gateway.pid], seconds) for _ in range(runs)])


def _peer(effort: Effort, silent: Sequence[int]) -> dict[str, Any]:
    missing = thingsboard.install()
    if missing:
        return {"name": "thingsboard-gateway", "missing": missing}
    with ExitStack() as parts:
        broker = parts.enter_context(Mosquitto())
        answering = parts.enter_context(slaves(PORTS, silent))
        taken = parts.enter_context(thingsboard.platform(broker.port))
        peer = parts.enter_context(thingsboard.ThingsBoardGateway(broker.port, answering.ports, UNITS, 1))
        try:
            wait_for("the peer's first readings", lambda: taken.value > (0 if silent else 2 * DEMAND), _START_S)
            measure(lambda: taken.value, [peer.pid], effort.pick(10, 1))
            runs, seconds = _runs(effort)
            windows = [measure(lambda: taken.value, [peer.pid], seconds) for _ in range(runs)]
        except BenchmarkError as error:
            return {"name": "thingsboard-gateway", "version": thingsboard.version(), "missing": str(error)}
    window = middle(windows)
    settings = f"timeout {thingsboard.TIMEOUT_S} s, retries {thingsboard.RETRIES}"
    return {"name": "thingsboard-gateway", "version": thingsboard.version(), **_cost(window), "settings": settings}


def _runs(effort: Effort) -> tuple[int, float]:
    return (1, 3.0) if effort.quick else (_RUNS, 12.0)


def _cost(window: Window) -> dict[str, Any]:
    return {
        "lamps_per_s": round(window.rate),
        "cores": round(window.cores, 3),
        "per_cpu_s": round(window.per_cpu_s),
        "rss_mib": round(window.rss_mib, 1),
        "others_cores": round(window.others_cores, 2),
    }


def _config(effort: Effort) -> dict[str, Any]:
    return {
        "path": "poll, spool (fsync), QoS 1, ack by a stub",
        "ports": PORTS,
        "units_per_port": UNITS,
        "registers": REGISTERS,
        "seconds": "median of {} x {:g}".format(*_runs(effort)),
        "quick": effort.quick,
        "versions": versions("lamplighter-gateway", "pymodbus", "aiomqtt"),
    }
