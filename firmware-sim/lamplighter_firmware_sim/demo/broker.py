"""The demo's brokers: mosquitto when it is on the machine, else amqtt in a process of its own."""

import shutil
import sys
from pathlib import Path

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
        command = [sys.executable, "-m", "lamplighter_firmware_sim.demo.embedded_broker", str(port)]
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
