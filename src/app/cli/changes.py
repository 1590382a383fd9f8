"""Which tests a change can break, by the imports of the modules.

* A test depends on what its module imports, directly or not, and on each `conftest.py` above it.
* A test that starts processes depends on all of `src/app`.
* What finds packages by the registry, as the application does, depends on each of them. An entity
  that no other package imports is the exception: on it depend the tests that import or name it, and
  those that go over all entities (`EVERY_ENTITY`).
* A document matters to the tests that name it. Anything else, such as a setting, a migration or a
  template, matters to all tests.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

REGISTRY = "app.core.registry"
EVERY_ENTITY = (
    "tests.api.",
    "tests.conformance.",
    "tests.contract.",
    "tests.database.",
    "tests.dispatch.",
)
BASES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


def changed_files(root: Path) -> list[str]:
    """What differs from where this branch left the main one, and what git does not know yet."""
    base = next((each for each in BASES if _git(root, "rev-parse", "--verify", "-q", each)), None)
    left = _git(root, "merge-base", "HEAD", base)[0] if base else "HEAD"
    new = _git(root, "ls-files", "--others", "--exclude-standard")
    return sorted({*_git(root, "diff", "--name-only", "--no-renames", left), *new})


def tests_of(root: Path, changed: list[str]) -> list[str] | None:
    """The paths of the test modules that a change of these files can break; None for all tests."""
    modules = dict(_modules(root))
    sources = {name: path.read_text() for name, path in modules.items()}
    graph = {name: set(_imported(name, sources[name], modules)) for name in modules}
    entities = _entities(root, graph)
    broken: set[str] = set()
    for each in changed:
        name = _name(each)
        entity = next((found for found in entities if each.startswith(f"src/app/{found}/")), None)
        if entity is not None:
            word = re.compile(rf"\b{entity}\b")
            broken |= {name for name, source in sources.items() if word.search(source)}
            broken |= {name for name in modules if name.startswith(EVERY_ENTITY)}
        elif each.endswith(".md"):
            stem = Path(each).name
            broken |= {name for name, source in sources.items() if stem in source}
        elif name is not None:
            broken.add(name)
        else:
            return None
    _add_what_is_found_by_name(graph, entities, sources)
    return sorted(
        str(path.relative_to(root))
        for name, path in modules.items()
        if path.name.startswith("test_") and not broken.isdisjoint(_reached(name, graph))
    )


def _git(root: Path, *arguments: str) -> list[str]:
    done = subprocess.run(  # noqa: S603 - ours
        ["git", *arguments],  # noqa: S607 - whichever git the developer uses
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines() if done.returncode == 0 else []


def _modules(root: Path) -> Iterator[tuple[str, Path]]:
    for folder in ("src/app", "tests"):
        for path in sorted((root / folder).rglob("*.py")):
            if name := _name(str(path.relative_to(root))):
                yield name, path


def _name(path: str) -> str | None:
    """The module that the file is."""
    if not path.endswith(".py") or not path.startswith(("src/app/", "tests/")):
        return None
    return path.removeprefix("src/").removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def _imported(name: str, source: str, modules: dict[str, Path]) -> Iterator[str]:
    """The modules that it imports, with the packages they are in, and the `conftest` it obeys."""
    found = {name}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    for each in found:
        parts = each.split(".")
        packages = {".".join(parts[:end]) for end in range(1, len(parts) + 1)}
        yield from packages & modules.keys() - {name}
    parts = name.split(".")
    if parts[-1] != "conftest":
        folders = {".".join([*parts[:end], "conftest"]) for end in range(1, len(parts))}
        yield from folders & modules.keys()


def _entities(root: Path, graph: dict[str, set[str]]) -> set[str]:
    """The folders of the entities that no other package of the application imports."""
    written = {path.parent.name for path in (root / "src/app").glob("*/entity.json")}
    used = {
        imported.split(".")[1]
        for name, found in graph.items()
        for imported in found
        if name.startswith("app.") and imported.startswith("app.")
        if name.split(".")[1] != imported.split(".")[1]
    }
    return written - used


def _add_what_is_found_by_name(
    graph: dict[str, set[str]], entities: set[str], sources: dict[str, str]
) -> None:
    application = {
        name for name in graph if name.startswith("app.") and name.split(".")[1] not in entities
    }
    registered = {name for name in application if name.endswith((".models", ".router"))}
    graph[REGISTRY] |= registered - {REGISTRY}
    for name, source in sources.items():
        if name.startswith("tests.") and re.search(r"^import subprocess\b", source, re.MULTILINE):
            graph[name] |= application


def _reached(name: str, graph: dict[str, set[str]]) -> set[str]:
    found, waiting = {name}, [name]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found
