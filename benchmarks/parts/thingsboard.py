"""The peer: thingsboard-gateway from PyPI in an environment of its own, polling the same slaves to the same broker."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import aiomqtt
import orjson

from benchmarks.parts.worker import Counter, counter, worker
from tests.system.servers import Server

TOOLS: Final = Path(__file__).parents[2] / ".tools"
ENVIRONMENT: Final = TOOLS / "peers" / "thingsboard-gateway"
# It installs its Modbus parts by itself at the first start; pinned here as it would.
REQUIREMENTS: Final = ("thingsboard-gateway==3.8.*", "pymodbus==3.9.2", "pyserial", "pyserial-asyncio")
TIMEOUT_S: Final = 3
RETRIES: Final = 3
_INSTALL_S: Final = 120
_TELEMETRY: Final = "v1/gateway/telemetry"
_RPC: Final = "v1/devices/me/rpc/request/"
_ANSWER: Final = "v1/devices/me/rpc/response/"
_LIMITS: Final = {"maxPayloadSize": 65_536, "maxInflightMessages": 100, "rateLimits": {}, "gatewayRateLimits": {}}


def install() -> str | None:
    """Have the peer ready; why it cannot be had, or None when it is there."""
    if (ENVIRONMENT / ".ready").exists():
        return None
    uv = TOOLS / "bin" / "uv"
    steps = (["venv", "--quiet", "--clear", str(ENVIRONMENT)], ["pip", "install", "--quiet", *REQUIREMENTS])
    for step in steps:
        try:
            done = subprocess.run(
                [uv, *step],
                env={**os.environ, "VIRTUAL_ENV": str(ENVIRONMENT)},
                capture_output=True,
                text=True,
                timeout=_INSTALL_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"uv {step[0]}: {error}"
        if done.returncode:
            return f"uv {' '.join(step[:2])}: {done.stderr.strip().splitlines()[-1][:200]}"
    (ENVIRONMENT / ".ready").touch()
    return None


def version() -> str:
    """Version of the installed peer."""
    found = next(ENVIRONMENT.glob("lib/python*/site-packages/thingsboard_gateway-*.dist-info"))
    return found.name.removesuffix(".dist-info").partition("-")[2]


class ThingsBoardGateway(Server):
    """The peer as a child process: one range tag per lamp, memory store, QoS 1, statistics and limits off."""

    program: ClassVar = str(ENVIRONMENT / "bin" / "thingsboard-gateway")

    def __init__(self, broker_port: int, ports: Sequence[int], units: int, poll_s: float) -> None:
        super().__init__()
        self._broker_port = broker_port
        self._slaves = [
            _slave(port, unit, place, poll_s) for place, port in enumerate(ports) for unit in range(1, units + 1)
        ]

    def prepare(self) -> None:
        """Write its three files."""
        files = {
            "tb_gateway.json": _gateway(self._broker_port),
            "modbus.json": {"master": {"slaves": self._slaves}},
            "logs.json": _LOGS,
        }
        (self.folder / "logs").mkdir(exist_ok=True)
        for name, content in files.items():
            (self.folder / name).write_text(json.dumps(content))

    def command(self) -> Sequence[str]:
        """Its console script, told where its configuration is."""
        return ["env", f"TB_GW_CONFIG_DIR={self.folder}", self.program]

    def answers(self) -> bool:
        """It answers nobody; whoever waits for it counts what it publishes."""
        return True


def _slave(port: int, unit: int, place: int, poll_s: float) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "type": "tcp",
        "method": "socket",
        "unitId": unit,
        "deviceName": f"lamp-{place + 1:02}-{unit:03}",
        "deviceType": "lamp",
        "timeout": TIMEOUT_S,
        "retries": RETRIES,
        "byteOrder": "BIG",
        "wordOrder": "BIG",
        "pollPeriod": round(poll_s * 1000),
        "connectAttemptTimeMs": 5000,
        "connectAttemptCount": 5,
        "waitAfterFailedAttemptsMs": 300_000,
        "attributes": [],
        "timeseries": [
            {"tag": "r${address}", "type": "16uint", "functionCode": 3, "objectsCount": 1, "address": "0-15"}
        ],
        "attributeUpdates": [],
        "rpc": [],
    }


def _gateway(broker_port: int) -> dict[str, Any]:
    return {
        "thingsboard": {
            "host": "127.0.0.1",
            "port": broker_port,
            "remoteShell": False,
            "remoteConfiguration": False,
            "statistics": {"enable": False},
            "deviceFiltering": {"enable": False},
            "maxPayloadSizeBytes": 65_536,
            "minPackSendDelayMS": 50,
            "minPackSizeToSend": 500,
            "checkConnectorsConfigurationInSeconds": 3600,
            "security": {"type": "accessToken", "accessToken": "benchmark"},
            "qos": 1,
            "reportStrategy": {"type": "ON_RECEIVED"},
            "checkingDeviceActivity": {"checkDeviceInactivity": False},
            "rateLimits": "0:0,",
            "dpRateLimits": "0:0,",
            "messagesRateLimits": "0:0,",
            "deviceMessagesRateLimits": "0:0,",
            "deviceRateLimits": "0:0,",
            "deviceDpRateLimits": "0:0,",
        },
        "storage": {"type": "memory", "read_records_count": 100, "max_records_count": 100_000},
        "grpc": {"enabled": False},
        "connectors": [{"type": "modbus", "name": "modbus", "configuration": "modbus.json"}],
    }


_LOGS: Final = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler", "level": "ERROR", "stream": "ext://sys.stdout"}},
    "loggers": {
        name: {"handlers": ["console"], "level": "ERROR", "propagate": False}
        for name in ("database", "service", "connector", "converter", "tb_connection", "storage", "extension")
    },
    "root": {"level": "ERROR", "handlers": ["console"]},
}


async def _serve(port: int, taken: Counter) -> None:
    async with aiomqtt.Client("127.0.0.1", port, identifier="platform") as client:
        await client.subscribe([(_TELEMETRY, 1), (f"{_RPC}+", 1)], timeout=10)
        async for message in client.messages:
            topic, payload = message.topic.value, orjson.loads(bytes(message.payload))
            if topic == _TELEMETRY:
                taken.value += sum(len({entry["ts"] for entry in entries}) for entries in payload.values())
            elif payload.get("method") == "getSessionLimits":
                answer = orjson.dumps(_LIMITS)
                await client.publish(_ANSWER + topic.removeprefix(_RPC), answer, qos=1, timeout=10)


def _run(port: int, taken: Counter) -> None:
    asyncio.run(_serve(port, taken))


@contextmanager
def platform(port: int) -> Iterator[Counter]:
    """Serve as its platform at the broker on this port: answer its question for limits, count lamps per moment."""
    taken = counter()
    with worker(_run, port, taken):
        yield taken
