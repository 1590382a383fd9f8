"""The process's own limit of open files, of which each connection is one."""

import resource
import sys
from functools import cache

OTHERS = 200  # files: connections to the database, libraries


def allow(connections: int) -> None:
    """Raise the limit for so many connections, as far as the system lets the process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


@cache
def connections_allowed() -> int:
    """How many there may be; one more could keep a worker from opening any file."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else max(10, soft - OTHERS)
