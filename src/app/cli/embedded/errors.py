class EmbeddedPostgresError(Exception):
    """The server cannot run; the message says why and what to do."""


class DataDirInUseError(EmbeddedPostgresError):
    """Another process owns the data folder, and its server runs."""
