"""Lists come in pages with bounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field

MAX_LIMIT: Final = 1_000
MAX_OFFSET: Final = 10_000_000

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list; `total` counts all of it."""

    items: list[T]
    total: int = Field(examples=[1808])
    offset: int = Field(examples=[0])
    limit: int = Field(examples=[100])


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that was asked for."""

    offset: int
    limit: int

    def of(self, everything: Sequence[T]) -> Sequence[T]:
        """That part of a list in memory."""
        return everything[self.offset : self.offset + self.limit]


def _window(
    offset: Annotated[int, Query(ge=0, le=MAX_OFFSET, description="Items to skip")] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items to return")] = 100,
) -> Window:
    return Window(offset, limit)


Paging = Annotated[Window, Depends(_window)]
