"""An open database with what its writer knows of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
from numpy.typing import NDArray

from lamplighter_controller.series.duck.tables import Catalogue


@dataclass(frozen=True, slots=True)
class Session:
    """A connection and the catalogue of its file; used by one thread."""

    connection: duckdb.DuckDBPyConnection
    catalogue: Catalogue

    def cursor(self) -> "Session":
        """The same database for another thread."""
        return Session(self.connection.cursor(), self.catalogue)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; committed and synced when the block ends."""
        self.connection.begin()
        try:
            yield
            self.connection.commit()
        except BaseException:
            self._roll_back()
            raise

    def execute_with(
        self,
        incoming: dict[str, NDArray[Any]],  # noqa: ARG002 - DuckDB finds it by its name, far cheaper than registered
        statement: str,
    ) -> dict[str, Any]:
        """Run a statement that reads the columns as the table `incoming`; the answer as columns."""
        answer: dict[str, Any] = self.connection.execute(statement).fetchnumpy()
        return answer

    def numbers(self, statement: str, *parameters: object) -> list[int]:
        """First column of an answer."""
        return [int(row[0]) for row in self.connection.execute(statement, parameters).fetchall()]

    def _roll_back(self) -> None:
        try:
            self.connection.rollback()
        except duckdb.Error:
            # The failure that is on its way up has ended the transaction already, or the whole database.
            return
