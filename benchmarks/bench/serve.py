"""Serves one contender: `python -m bench.serve NAME PORT [CORE]`, all with the same options."""

import os
import signal
import sys
import threading

import uvicorn

from bench.machine import pin


def main() -> None:
    name, port, *core = sys.argv[1:]
    pin({int(each) for each in core})
    threading.Thread(target=_end_with_parent, daemon=True).start()
    uvicorn.run(
        f"bench.contenders.{name}:create_app",
        factory=True,
        port=int(port),
        loop="uvloop",
        http="httptools",
        ws="none",
        workers=1,
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=3600,  # a connection lasts as long as the run
        timeout_graceful_shutdown=2,
    )


def _end_with_parent() -> None:
    sys.stdin.buffer.read()  # which returns when the parent closes the pipe, or is gone
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
