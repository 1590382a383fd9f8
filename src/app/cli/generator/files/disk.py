"""Reads and writes the project's files; of a set of files, all are written or none."""

import difflib
import shutil
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from app.database.migrations import ROOT

type Files = Mapping[Path, str]
"""Texts, by their paths from the project's root."""


@contextmanager
def scratch(files: Files) -> Generator[Path]:
    """A folder within the project that holds these files, and is deleted afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=".new-", dir=ROOT))
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        yield folder
    finally:
        shutil.rmtree(folder)


def on_disk(path: Path) -> str | None:
    return (ROOT / path).read_text() if (ROOT / path).exists() else None


def difference(path: Path, text: str) -> str:
    """A unified diff from what is there to what would be written."""
    old = (on_disk(path) or "").splitlines(keepends=True)
    new = text.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, str(path), f"{path} as generated"))


def carry_out(writes: Files, deletes: Iterable[Path]) -> None:
    """Does all of it or nothing: after an error, the files are as they were."""
    before = {path: on_disk(path) for path in [*writes, *deletes]}
    try:
        _write(writes)
        for path in deletes:
            _delete(path)
    except BaseException:
        for path, text in before.items():
            if text is None:
                _delete(path)
            else:
                (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
                (ROOT / path).write_text(text)
        raise


def _write(files: Files) -> None:
    """A new folder appears with all of its files at once, and what `app dev` serves comes last."""
    with scratch(files) as folder:
        for path in sorted(files, key=lambda path: (path.parts[0] == "src", "api" in path.parts)):
            moved = path.parent if not (ROOT / path.parent).exists() else path
            if (folder / path).exists():
                (ROOT / moved).parent.mkdir(parents=True, exist_ok=True)
                (folder / moved).replace(ROOT / moved)
    (
        ROOT / "src/app/__init__.py"
    ).touch()  # or `app dev` would not notice a folder that was moved in


def _delete(path: Path) -> None:
    """Deletes the file, and the folders that it leaves empty but for Python's caches."""
    (ROOT / path).unlink(missing_ok=True)
    folder = (ROOT / path).parent
    while folder != ROOT and folder.exists():
        if any(each.name != "__pycache__" for each in folder.iterdir()):
            return
        shutil.rmtree(folder)
        folder = folder.parent


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
