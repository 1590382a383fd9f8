"""What every contender is given, so that none of them has an advantage."""

import secrets

POOL_SIZE = 16  # one for each connection of the load: nobody waits for the database's
PAGE_SIZE = 50
ITEMS = "/api/v1/items"


def environment(url: str) -> dict[str, str]:
    """What the contenders find in theirs; past the URL it is ours that reads it."""
    return {
        "DATABASE_URL": url,
        "ENVIRONMENT": "production",
        "SECRET_KEY": secrets.token_urlsafe(32),
        "LOG_LEVEL": "info",
        "DB_POOL_SIZE": str(POOL_SIZE),
        "DB_MAX_OVERFLOW": "0",
        # Sixteen exact counts at once on half a core may take longer than production allows.
        "DB_POOL_TIMEOUT": "60",
        "DB_STATEMENT_TIMEOUT": "60",
        "DB_COMMAND_TIMEOUT": "61",
        "REQUEST_TIMEOUT": "120",
        "MAX_BULK_ROWS": "10000",
        # One user sends all: each request is counted, and none is one too many.
        "USER_REQUESTS_PER_MINUTE": "1000000000",
        "ADDRESS_REQUESTS_PER_MINUTE": "1000000000",
        "DB_USER_SHARE": "1",
    }
