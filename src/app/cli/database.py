from app.cli.local_database import local_database
from app.config import load_settings
from app.migrations import head_revision, upgrade


def migrate() -> None:
    """Bring the database's tables up to date; safe to run from several places at once."""
    with local_database(load_settings()) as settings:
        assert settings.database_url is not None
        upgrade(settings.database_url.get_secret_value())
    print(f"The database is at revision {head_revision()}")
