"""failures in a row

Revision ID: 7c52d90a4e1b
Revises: 4f0e6b1c9a27
Create Date: 2026-11-28 11:20:41.602817+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "7c52d90a4e1b"
down_revision: str | None = "4f0e6b1c9a27"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "throttles", sa.Column("failures", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("throttles", sa.Column("kept_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("throttles", "kept_until")
    op.drop_column("throttles", "failures")
