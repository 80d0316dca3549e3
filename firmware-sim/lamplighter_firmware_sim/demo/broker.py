"""The demo's brokers: mosquitto when it is on the machine, else amqtt in a process of its own."""

import asyncio
import logging
import shutil
import signal
import sys
from pathlib import Path

import click
from amqtt.broker import Broker  # type: ignore[import-untyped]  # it ships no types

from lamplighter_firmware_sim.demo.processes import Program

SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def mosquitto() -> str | None:
    """The path of mosquitto; Debian keeps it where a user's PATH often does not look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=SEARCHED)


def broker_program(name: str, port: int, directory: Path) -> Program:
    """A broker on a loopback port."""
    log_file = directory / "logs" / f"{name}.log"
    binary = mosquitto()
    if binary is None:
        command = [sys.executable, "-m", "lamplighter_firmware_sim.demo.broker", str(port)]
        return Program(name, command, log_file)
    config = directory / f"{name}.conf"
    lines = [
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
        "persistence false",
        "max_queued_messages 10000",
        "max_packet_size 2000000",
        "log_type warning",
        "log_type error",
    ]
    config.write_text("\n".join(lines) + "\n")
    return Program(name, [binary, "-c", str(config)], log_file)


@click.command()
@click.argument("port", type=int)
def main(port: int) -> None:
    """Serve MQTT 3.1.1 on a loopback port until SIGTERM."""
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(_serve(port))


async def _serve(port: int) -> None:
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}", "max_connections": 1000}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(config)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


if __name__ == "__main__":
    main()
