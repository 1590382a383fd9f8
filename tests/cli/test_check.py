"""`app check`, with steps that take no time."""

import sys

import pytest

from app.cli import check as module
from app.cli.check import Step, check


def step(name: str, source: str) -> Step:
    return Step(name, [sys.executable, "-c", source])


def passes(name: str) -> Step:
    return step(name, f"print('{name} at work')")


def fails(name: str) -> Step:
    return step(name, f"print('{name} is wrong'); raise SystemExit(2)")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Those that a test replaces; all of them pass."""
    monkeypatch.delenv("TEST_DATABASE_URL", raising=False)
    monkeypatch.setattr(module, "STATIC", [passes("format"), passes("lint")])
    monkeypatch.setattr(module, "FUZZ", passes("fuzz"))
    embedded = {"16": passes("old").command, "18": passes("new").command}
    monkeypatch.setattr(module, "EMBEDDED", embedded)
    return monkeypatch


def lines(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return capfd.readouterr().out.splitlines()


@pytest.mark.usefixtures("steps")
def test_what_the_last_tests_print_is_the_end_when_all_passed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    check()
    printed = lines(capfd)
    assert printed[-1] == "new at work"
    told = [each.split()[1] for each in printed if each.startswith("──")]
    assert sorted(told[:2]) == ["format", "lint"]
    assert told[2:] == ["tests", "fuzz", "tests"]
    assert "format at work" not in printed


def test_no_step_hides_the_next_ones_and_the_end_names_all_that_failed(
    steps: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    steps.setattr(module, "STATIC", [passes("format"), fails("lint")])
    steps.setattr(module, "FUZZ", fails("fuzz"))
    steps.setattr(module, "EMBEDDED", {"16": fails("old").command, "18": passes("new").command})
    with pytest.raises(SystemExit) as ended:
        check()
    assert ended.value.code == 1
    printed = lines(capfd)
    for each in ("lint is wrong", "fuzz is wrong", "old is wrong", "new at work"):
        assert each in printed
    assert printed[-1] == "── failed: lint, tests on PostgreSQL 16, fuzz"


def test_a_server_of_ones_own_runs_all_tests_once(
    steps: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    steps.setenv("TEST_DATABASE_URL", "postgresql://u:p@localhost/some_test")
    steps.setattr(module, "TESTS", passes("all").command)
    check()
    printed = lines(capfd)
    assert printed[-1] == "all at work"
    assert "── fuzz passed" in printed[-3]
    assert "old at work" not in printed


def test_fast_leaves_out_what_is_slow(
    steps: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    steps.setattr(module, "FAST", passes("quick").command)
    check(fast=True)
    printed = lines(capfd)
    assert printed[-1] == "quick at work"
    assert len([each for each in printed if each.startswith("──")]) == 3


def test_changed_runs_what_depends_on_the_change(
    steps: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    steps.setattr(module, "FAST", passes("quick").command)
    found: list[str] = []
    steps.setattr(module, "changed_files", lambda _: ["some.py"])
    steps.setattr(module, "tests_of", lambda _, changed: found if changed == ["some.py"] else None)
    check(changed=True)
    printed = lines(capfd)
    assert "── tests: no test depends on what has changed" in printed
    assert "quick at work" not in printed
    found.append("tests/test_some.py")
    check(changed=True)
    printed = lines(capfd)
    assert printed[-1] == "quick at work"
    assert any(each.startswith("── tests: ") and each.endswith("test_some.py") for each in printed)
    steps.setattr(module, "changed_files", lambda _: ["pyproject.toml"])
    steps.setattr(module, "FAST", passes("every one").command)
    check(changed=True)
    assert lines(capfd)[-1] == "every one at work"


def test_a_change_of_slow_tests_alone_passes(
    steps: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    steps.setattr(module, "changed_files", lambda _: ["tests/faults/test_slow.py"])
    steps.setattr(module, "tests_of", lambda _, changed: changed)
    steps.setattr(module, "FAST", step("", "raise SystemExit(5)").command)  # pytest's "no tests"
    check(changed=True)
    assert "failed" not in capfd.readouterr().out


def test_what_python_compiled_is_shared_by_the_steps(
    steps: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = "import os, sys; print(bool(sys.pycache_prefix), sys.dont_write_bytecode)"
    steps.setattr(module, "EMBEDDED", {"18": [sys.executable, "-c", folder]})
    steps.setenv("PYTHONDONTWRITEBYTECODE", "1")
    check()
    assert lines(capfd)[-1] == "True False"
