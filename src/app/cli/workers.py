"""What `app serve` runs: uvicorn's server or its supervisor, with what they lack.

The process that was started says when all of it serves, and how it ends; its workers do not.
"""

from importlib.metadata import entry_points
from socket import socket
from typing import Any

import structlog
import uvicorn
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import multiprocess

_log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        _say_listening(self.config)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        _say_draining(self.config)
        await super().shutdown(sockets)
        _log.info("stopped")


class Worker(multiprocess.Process):
    def start(self) -> None:
        """Leave the worker's end of the pipe to the worker alone.

        The supervisor asks each worker whether it lives. Where the worker is killed before it
        answers, the end of the pipe is then seen at once, and not after the time for an answer.
        """
        super().start()
        self.child_conn.close()


class Supervisor(multiprocess.Multiprocess):
    is_listening = False
    has_failed = False

    def run(self) -> None:
        super().run()
        _log.info("stopped")

    def keep_subprocess_alive(self) -> None:
        if self.should_exit.is_set():
            return
        super().keep_subprocess_alive()
        if self.should_exit.is_set():  # by a worker that cannot start
            self.has_failed = True
        elif not self.is_listening:
            limit = self.config.timeout_worker_healthcheck
            self.is_listening = all(each.is_ready(limit) for each in self.processes)
            if self.is_listening:
                _say_listening(self.config)

    def terminate_all(self) -> None:
        _say_draining(self.config)
        super().terminate_all()


def run(app: str, **options: Any) -> int:
    """Serve the application, and return the status to exit with."""
    config = Config(app, **options)
    if config.workers > 1:
        multiprocess.Process = Worker  # type: ignore[misc] - a class is a constant to type checkers
        supervisor = Supervisor(config, [config.bind_socket()])
        supervisor.run()
        return STARTUP_FAILURE if supervisor.has_failed else 0
    server = Server(config)
    server.run()
    return 0 if server.started else STARTUP_FAILURE


def _say_listening(config: Config) -> None:
    host = f"[{config.host}]" if ":" in config.host else config.host
    _log.info(
        "listening",
        address=f"http://{host}:{config.port}",
        workers=config.workers,
        version=_version(),
    )


def _say_draining(config: Config) -> None:
    _log.info("draining", seconds=config.timeout_graceful_shutdown)


def _version() -> str | None:
    """That of the package whose `app` command this is, whatever its name."""
    for each in entry_points(group="console_scripts", name="app"):
        if each.value == "app.cli.main:main" and each.dist:
            return each.dist.version
    return None
