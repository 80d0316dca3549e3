"""Requests are found by their operation: what was isolated, locked and limited is handed over to another box."""

from alembic import op

revision = "commands_0002"
down_revision = "commands_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_command_request_op", "command_request", ["op"])
