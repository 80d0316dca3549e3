"""The tables of all rooms, on one MetaData with predictable constraint names."""

from typing import Final

from sqlalchemy import MetaData

NUL: Final = "\x00"

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def storable(text: str) -> str:
    """Text from outside as both databases can hold it: PostgreSQL knows no NUL."""
    return text.replace(NUL, "\N{REPLACEMENT CHARACTER}")
