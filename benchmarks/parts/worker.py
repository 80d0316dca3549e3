"""A stub in a process of its own, so that its work is not counted as the measured program's."""

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from multiprocessing.context import SpawnProcess
from multiprocessing.sharedctypes import Synchronized
from typing import Any, Final, TypeAlias

CONTEXT: Final = multiprocessing.get_context("spawn")
_END_S: Final = 5.0

Counter: TypeAlias = "Synchronized[int]"


def counter() -> Counter:
    """A number that two processes share."""
    return CONTEXT.Value("q", 0)


@contextlib.contextmanager
def worker(target: Callable[..., None], *arguments: Any) -> Iterator[SpawnProcess]:
    """Run `target` in another process as long as the context is open."""
    process = CONTEXT.Process(target=target, args=arguments, daemon=True)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(_END_S)
        if process.is_alive():
            process.kill()
            process.join()
