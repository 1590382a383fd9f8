"""Documents whose commands are run, and whose answers are compared with those that come."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

BLOCK = re.compile(r"^```(console session|python (\S+))\n(.*?)^```$", re.DOTALL | re.MULTILINE)
STEP = re.compile(r"^\$ (.*?<<'(\w+)'\n.*?^\2|[^\n]*)\n(.*?)(?=^\$ |\Z)", re.DOTALL | re.MULTILINE)
END = "~~~"


@dataclass(frozen=True, slots=True)
class File:
    """What the reader writes into a file."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """What the reader types, and what it printed."""

    line: str
    printed: str


def steps(document: str) -> list[File | Command]:
    """Those of all blocks, in their order."""
    found: list[File | Command] = []
    for kind, path, text in BLOCK.findall(document):
        if kind == "console session":
            found += [Command(line, printed) for line, _, printed in STEP.findall(text)]
        else:
            found.append(File(path, text))
    return found


class Shell:
    """One bash for all commands of a document, so that they share their variables."""

    def __init__(self, folder: Path, environment: Mapping[str, str], deadline: float) -> None:
        self._bash = subprocess.Popen(
            ["bash"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._timer = Timer(deadline, self._bash.kill)
        self._timer.start()

    def run(self, line: str) -> str:
        """What it prints; an AssertionError where it fails."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{line}\necho; echo {END} $?\n")
        self._bash.stdin.flush()
        printed = ""
        for each in self._bash.stdout:
            if each.startswith(END):
                assert each == f"{END} 0\n", (line, printed)
                return printed
            printed += each
        raise AssertionError((line, printed))

    def close(self) -> None:
        self._timer.cancel()
        self._bash.kill()
        self._bash.communicate()


def stable(text: str) -> str:
    """The text without what differs from run to run: ids, times, cursors, the session's token."""
    text = re.sub(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}", "<id>", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", text)
    text = re.sub(r"\d{8}_\d{4}_", "<time>_", text)
    text = re.sub(r"\d+\.\d+ ?s\b", "<time>", text)
    text = re.sub(r'(cursor(?:":"|=))[\w-]+', r"\1<cursor>", text)
    return re.sub(r"plinth_[\w-]+", "<token>", text).strip()
