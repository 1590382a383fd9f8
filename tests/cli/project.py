"""A copy of the project in a folder of its own, to generate into."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from sqlalchemy import make_url

from app.database.migrations import ROOT

BIN = Path(sys.executable).parent
DEADLINE = 600  # seconds; on a busy machine, what else takes one minute


class Project:
    """A git repository without a change, that shares nothing but the installed packages."""

    def __init__(self, root: Path) -> None:
        self.root = root
        listed = subprocess.check_output(
            ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True
        )
        for name in listed.splitlines():
            if (ROOT / name).exists():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        self.run("git", "init", "--quiet")
        self.commit()

    @property
    def environment(self) -> dict[str, str]:
        ours = ("PYTEST_", "PLINTH_", "DATABASE_URL", "DATA_DIR")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        if url := kept.get("TEST_DATABASE_URL"):
            name = f"test_{uuid4().hex}"  # beside the databases of the suite that runs this
            kept["TEST_DATABASE_URL"] = (
                make_url(url).set(database=name).render_as_string(hide_password=False)
            )
        path = f"{BIN}{os.pathsep}{kept.get('PATH', '')}"
        return kept | {"PYTHONPATH": str(self.root / "src"), "PATH": path}

    def run(self, *command: str, status: int = 0) -> str:
        """All that it printed."""
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=DEADLINE,
        )
        assert done.returncode == status, done.stdout
        assert "Traceback" not in done.stdout, done.stdout
        return done.stdout

    def app(self, line: str, status: int = 0) -> str:
        return self.run("app", *line.split(), status=status)

    def commit(self) -> None:
        self.run("git", "add", "--all")
        me = ["-c", "user.name=me", "-c", "user.email=me@example.com"]
        self.run("git", *me, "commit", "--quiet", "--message=so far")

    def changes(self) -> str:
        return self.run("git", "status", "--porcelain")

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.root / path).read_text()
        assert old in text, text
        (self.root / path).write_text(text.replace(old, new))

    def read(self, path: str) -> str:
        return (self.root / path).read_text()
