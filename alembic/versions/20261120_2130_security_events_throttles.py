"""security events, throttles

Revision ID: 4f0e6b1c9a27
Revises: b6ad198df2c6
Create Date: 2026-11-20 21:30:12.340915+00:00
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "4f0e6b1c9a27"
down_revision: str | None = "b6ad198df2c6"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

APPEND_ONLY = """
CREATE OR REPLACE TRIGGER append_only BEFORE {} ON security_events
FOR EACH STATEMENT EXECUTE FUNCTION refuse_changes()
"""


def upgrade() -> None:
    op.add_column("security_events", sa.Column("revoked_session_id", sa.Uuid(), nullable=True))
    op.execute(APPEND_ONLY.format("UPDATE OR DELETE OR TRUNCATE"))
    op.add_column(
        "throttles", sa.Column("refusals", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("throttles", "refusals")
    op.execute(APPEND_ONLY.format("UPDATE OR DELETE"))
    op.drop_column("security_events", "revoked_session_id")
