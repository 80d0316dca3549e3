"""The demo's brokers: mosquitto when it is on the machine, else amqtt in a process of its own."""

import shutil
import sys
from pathlib import Path

from lamplighter_firmware_sim.demo.processes import Program
from lamplighter_firmware_sim.errors import SimError

SEARCHED = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def mosquitto() -> str | None:
    """The path of mosquitto; Debian keeps it where a user's PATH often does not look."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path=SEARCHED)


def choose_broker(wanted: str) -> str | None:
    """Mosquitto's path, or None for the embedded one; `wanted` is auto, mosquitto or amqtt.

    Raises:
        SimError: mosquitto was asked for and is not on the machine.
    """
    binary = None if wanted == "amqtt" else mosquitto()
    if wanted == "mosquitto" and binary is None:
        raise SimError("--broker mosquitto: there is none on this machine (Debian package mosquitto)")
    return binary


def broker_program(name: str, binary: str | None, port: int, directory: Path) -> Program:
    """A broker on a loopback port."""
    log_file = directory / "logs" / f"{name}.log"
    if binary is None:
        command = [sys.executable, "-m", "lamplighter_firmware_sim.demo.embedded_broker", str(port)]
        return Program(name, command, log_file)
    config = directory / f"{name}.conf"
    lines = [
        f"listener {port} 127.0.0.1",
        "allow_anonymous true",
        "persistence false",
        "max_queued_messages 10000",
        "max_packet_size 2000000",
        "set_tcp_nodelay true",
        "log_type warning",
        "log_type error",
        "log_type notice",
        "log_timestamp_format %Y-%m-%dT%H:%M:%S",
    ]
    config.write_text("\n".join(lines) + "\n")
    return Program(name, [binary, "-c", str(config)], log_file)
