"""The supervisor of `app serve --workers`, with what uvicorn's own lacks."""

from uvicorn.supervisors import multiprocess


class Worker(multiprocess.Process):
    def start(self) -> None:
        """Leave the worker's end of the pipe to the worker alone.

        The supervisor asks each worker whether it lives. Where the worker is killed before it
        answers, the end of the pipe is then seen at once, and not after the time for an answer.
        """
        super().start()
        self.child_conn.close()


def use_workers() -> None:
    """Let uvicorn's supervisor start ours."""
    multiprocess.Process = Worker  # type: ignore[misc] - a class is a constant to type checkers
