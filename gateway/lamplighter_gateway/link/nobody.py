"""A link that leads nowhere: a gateway on an installer's laptop must not speak in its city's name."""

from contextlib import AbstractAsyncContextManager
from types import TracebackType

from lamplighter_gateway.link.port import Connection, LinkDownError, Will


class NoLink:
    """Never connects; what is to be told waits in the spool."""

    def connect(self, will: Will, topics: tuple[str, ...]) -> AbstractAsyncContextManager[Connection]:  # noqa: ARG002 - nobody is called
        """What fails as soon as it is entered."""
        return _Nowhere()


class _Nowhere(AbstractAsyncContextManager[Connection]):
    async def __aenter__(self) -> Connection:
        raise LinkDownError("commissioning without uplink")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """There was nothing to end."""
