"""A broker where there is no mosquitto: amqtt in a process of its own."""

import asyncio
import logging
import signal
from typing import Any

import click
from amqtt.broker import Broker  # type: ignore[import-untyped]  # it ships no types

log = logging.getLogger(__name__)


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
    loop.set_exception_handler(_forgotten)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


def _forgotten(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A task of the library failed and nobody looked: most often a client left without acknowledging a message."""
    log.error("%s", context.get("exception") or context["message"])


if __name__ == "__main__":
    main()
