"""An error in one line, for whoever starts what fails. Imports nothing else of the application."""

import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def one_line(error: BaseException) -> str:
    """What it is, what it says, and where in the project it was raised.

    An error whose class has `explains_itself` says all that there is to know, or its cause does.
    """
    for each in (error, error.__cause__):
        if getattr(each, "explains_itself", False):
            return "; ".join(str(each).splitlines())
    driver = getattr(error, "driver_exception", None) or error  # SQLAlchemy adds the statement
    said = driver.msg if isinstance(driver, SyntaxError) else str(driver)
    what = f"{type(driver).__name__}: {' '.join(said.split())}".removesuffix(": ")
    where = place(error, ROOT)
    return f"{what} ({where})" if where else what


def place(error: BaseException, folder: Path) -> str | None:
    """The innermost line of a file in the folder, relative to the project."""
    frames = [(each.filename, each.lineno) for each in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):  # whose own line was never run
        frames.append((error.filename or "", error.lineno))
    for name, line in reversed(frames):
        path = Path(name)
        if path.is_relative_to(folder) and "site-packages" not in path.parts:
            return f"{path.relative_to(ROOT)}, line {line}"
    return None
