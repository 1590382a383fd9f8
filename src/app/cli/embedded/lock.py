"""The lock of a data folder: one process at a time owns it, and the server that runs on it."""

import fcntl
import os
from pathlib import Path
from typing import IO

from app.cli.embedded.errors import DataDirInUseError


def lock(data_dir: Path) -> IO[str]:
    """A file that holds the lock while it is open, and names the owner's pid.

    Raises DataDirInUseError.
    """
    file = (data_dir / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        with file:
            file.seek(0)
            raise DataDirInUseError(
                f"{data_dir} is in use by process {file.read()}: stop it, or set "
                "DATA_DIR to another folder"
            ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
