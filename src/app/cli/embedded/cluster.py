"""The files of a server: a PostgreSQL cluster, its password, and what a killed owner left."""

import importlib
import os
import secrets
import shutil
from pathlib import Path

from app.cli.embedded.binaries import Binaries
from app.cli.embedded.errors import EmbeddedPostgresError
from app.cli.embedded.place import Place
from app.cli.embedded.programs import Log, end

USER = "plinth"


class Cluster:
    def __init__(self, place: Place, binaries: Binaries, log: Log) -> None:
        self.path = place.home / "cluster"
        self.pid_file = self.path / "postmaster.pid"
        self._place = place
        self._binaries = binaries
        self._log = log

    def make(self, *, durable: bool) -> None:
        """Runs initdb unless it has run.

        Raises EmbeddedPostgresError, also for a cluster of another version.
        """
        if self.path.exists():
            self._require_version()
            return
        password = self._place.home / "password"
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        if os.geteuid() == 0:
            shutil.chown(password, self._place.home.stat().st_uid)
        unfinished = self._place.home / "unfinished"  # an interrupted initdb leaves no cluster
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [self._binaries["initdb"], "-D", str(unfinished), "-U", USER]
        command += ["--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"]
        command += self._binaries.locale if durable else [*self._binaries.locale, "--no-sync"]
        logged = self._log.size()
        if self._place.account.run(command, self._log) != 0:
            output = self._log.since(logged)
            raise EmbeddedPostgresError(
                f"initdb failed; set DATABASE_URL to do without it\n{output}"
            )
        unfinished.rename(self.path)

    def stop_orphan(self) -> None:
        """Stops the server of an owner that was killed: whoever holds the lock runs none yet."""
        if not self.pid_file.exists():
            return
        pid, *rest = self.pid_file.read_text().split("\n")
        if not pid.isdigit():  # the machine went down before it was written
            self.pid_file.unlink()
            return
        end(int(pid), lambda: self._is_served_by(int(pid)), "fast")
        if self.pid_file.exists():
            # Another process may have that number by now, and PostgreSQL would not start. It takes
            # its parent's number for stale, and still looks for backends that survived.
            self.pid_file.write_text("\n".join([str(os.getpid()), *rest]))

    def _require_version(self) -> None:
        maker = (self.path / "PG_VERSION").read_text().strip()
        if maker != str(self._binaries.version):
            raise EmbeddedPostgresError(
                f"{self.path} was made by PostgreSQL {maker} and this is {self._binaries.version}: "
                "set DATA_DIR to another folder, or move that one away to begin anew"
            )

    def _is_served_by(self, pid: int) -> bool:
        psutil = importlib.import_module("psutil")  # comes with the wheel, not in production
        try:
            return str(self.path) in psutil.Process(pid).cmdline()
        except psutil.Error:
            return False


def password(data_dir: Path) -> str:
    return (data_dir / "postgres" / "password").read_text()
