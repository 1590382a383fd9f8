"""Where the cluster lies, and who runs the server: PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.cli.embedded.binaries import Binaries
from app.cli.embedded.errors import EmbeddedPostgresError
from app.cli.embedded.programs import Account, Log


@dataclass(frozen=True, slots=True)
class Place:
    """`home` has the password and the cluster; the account can write there."""

    home: Path
    account: Account


def find_place(data_dir: Path, binaries: Binaries, log: Log) -> Place:
    """Raises EmbeddedPostgresError if no account can reach both the programs and the data."""
    home = data_dir / "postgres"
    for home in _homes(data_dir):
        probe = ["test", "-x", binaries["postgres"], "-a", "-w", str(home)]
        for account in accounts(home):
            with suppress(OSError):  # no setpriv here, or no right to change the user
                if account.run(probe, log) == 0:
                    return Place(home, account)
    raise EmbeddedPostgresError(
        f"PostgreSQL refuses to run as root, and needs a user who can reach {binaries.folder} and "
        f"{home}: run as an ordinary user, or set DATABASE_URL"
    )


def accounts(home: Path) -> Iterator[Account]:
    """Yields those that may run the server, the best first."""
    # The signal comes at the end of the thread that started the server: only the main one lasts.
    main = threading.current_thread() is threading.main_thread()
    setpriv = ["setpriv", "--pdeathsig=INT"] if main else ["setpriv"]
    options = {}
    if os.geteuid() == 0:
        with suppress(KeyError, OSError):
            if home.stat().st_uid == 0:
                nobody = pwd.getpwnam("nobody")
                os.chown(home, nobody.pw_uid, nobody.pw_gid)
        uid, gid = home.stat().st_uid, home.stat().st_gid
        if uid == 0:
            return
        # Lets the server pass private parents of the folders, whose modes stay as they are. The
        # securebit extends that to access(2), by which PostgreSQL looks for its own program.
        reach = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        reach += ["--securebits=+no_setuid_fixup"]
        yield Account([*setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *reach], {})
        options = {"user": uid, "group": gid, "extra_groups": []}
    yield Account(setpriv, options)
    yield Account([], options)


def _homes(data_dir: Path) -> Iterator[Path]:
    """Yields the data folder's own, and for root a temporary one that it then links to."""
    home = data_dir / "postgres"
    if home.is_symlink() and not home.exists():
        home.unlink()
    home.mkdir(mode=0o700, exist_ok=True)
    yield home.resolve()
    if os.geteuid() == 0 and not home.is_symlink() and not (home / "cluster").exists():
        temporary = Path(tempfile.mkdtemp(prefix="plinth-")).resolve()
        shutil.rmtree(home)
        home.symlink_to(temporary)
        yield temporary
        home.unlink()
        temporary.rmdir()
