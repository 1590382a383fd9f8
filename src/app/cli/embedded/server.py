"""A real PostgreSQL from a wheel, for development and tests (POSIX only: import it where used).

Below the data folder: `lock` (held by the owner, naming its pid), `port`, `postgres.log`, and
`postgres/` with the password and the cluster. The last is a link to a temporary folder where
we are root and no other user may enter the data folder.
"""

import secrets
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Literal, Self

from app.cli.embedded.binaries import VERSION, Binaries, find_binaries
from app.cli.embedded.cluster import USER, Cluster, password
from app.cli.embedded.errors import EmbeddedPostgresError
from app.cli.embedded.lock import lock
from app.cli.embedded.place import Place, find_place
from app.cli.embedded.programs import Log, end
from app.config import cannot_use

PORTS = range(20_000, 32_768)  # the kernel gives those above to outgoing connections
START_SECONDS = 30


class EmbeddedPostgres:
    def __init__(self, data_dir: Path, *, version: int = VERSION, durable: bool = True) -> None:
        self.data_dir = data_dir.absolute()
        self.version = version
        self.durable = durable
        self.port = 0
        self._log = Log(self.data_dir / "postgres.log")
        self._lock_file: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> str:
        """Starts the server, returns the URL of its database `postgres`.

        Started from the main thread on Linux it ends when its owner does, in whatever way;
        elsewhere the next start ends what a killed owner left.
        """
        if self._process:
            if self._process.poll() is None:
                return self.url()
            self.stop()
        try:
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock_file = lock(self.data_dir)
            binaries = find_binaries(self.version)
            place = find_place(self.data_dir, binaries, self._log)
            cluster = Cluster(place, binaries, self._log)
            cluster.make(durable=self.durable)
            cluster.stop_orphan()
            self._launch(binaries, place, cluster)
        except BaseException as error:
            self.stop()
            if isinstance(error, OSError):
                message = f"{cannot_use(self.data_dir, error)}, or DATABASE_URL"
                raise EmbeddedPostgresError(message) from error
            raise
        return self.url()

    def attach(self) -> str:
        """Returns the URL of the server that another process runs on the data folder.

        Raises EmbeddedPostgresError if that is another user's, or has just begun to start it.
        """
        try:
            self.port = int((self.data_dir / "port").read_text())
            return self.url()
        except OSError as error:
            message = f"{cannot_use(self.data_dir, error)}, or try again when it has started"
            raise EmbeddedPostgresError(message) from error

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+asyncpg://{USER}:{password(self.data_dir)}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self, mode: Literal["fast", "immediate", "kill"] = "fast") -> None:
        """Stops the server; after `immediate` and `kill` the next start recovers from the WAL."""
        if process := self._process:
            end(process.pid, lambda: process.poll() is None, mode)
            self._process = None
        if self._lock_file:
            self._lock_file.close()
            self._lock_file = None

    def _launch(self, binaries: Binaries, place: Place, cluster: Cluster) -> None:
        deadline = time.monotonic() + START_SECONDS
        port_file = self.data_dir / "port"
        with suppress(FileNotFoundError, ValueError):
            self.port = int(port_file.read_text())
        while True:
            while not _is_free(self.port):
                self.port = secrets.choice(PORTS)
            logged = self._log.size()
            command = [binaries["postgres"], "-D", str(cluster.path), *self._settings()]
            self._process = place.account.spawn(command, self._log)
            if _is_ready(self._process, cluster.pid_file, deadline):
                port_file.write_text(str(self.port))
                return
            output = self._log.since(logged)
            # The port was taken meanwhile, or backends of a killed server live on: both pass.
            passing = not _is_free(self.port) or "still in use" in output
            if not passing or time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL did not start, see {self._log.path}\n{output}"
                )
            time.sleep(0.1)

    def _settings(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "shared_buffers": "128MB",
            "timezone": "UTC",
        }
        if not self.durable:
            settings |= dict.fromkeys(["fsync", "synchronous_commit", "full_page_writes"], "off")
        return [f"--{name}={value}" for name, value in settings.items()]


def _is_ready(process: subprocess.Popen[bytes], pid_file: Path, deadline: float) -> bool:
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            lines = pid_file.read_text().split()
            if lines[:1] == [str(process.pid)] and lines[-1] == "ready":
                return True
        time.sleep(0.01)
    return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return port != 0
