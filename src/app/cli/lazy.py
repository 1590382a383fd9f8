"""Groups of commands that import a command's module only when that command is run."""

import ast
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class LazyCommand(TyperCommand):
    """Stands for the command `module:function` where it is listed, with its docstring as help."""

    def __init__(self, name: str, place: str, epilog: str | None) -> None:
        super().__init__(name, epilog=epilog)
        self.module, _, self.function = place.partition(":")

    @cached_property
    def docstring(self) -> str | None:
        """Read from the source, since an import would bring all that the command needs."""
        found = find_spec(self.module)
        assert found is not None
        assert found.origin is not None
        for node in ast.parse(Path(found.origin).read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name == self.function:
                return ast.get_docstring(node)
        raise LookupError(f"{self.module} has no function {self.function}")

    def load(self) -> TyperCommand:
        """The command itself, with its options."""
        made = typer.Typer(add_completion=False)
        made.command(self.name, epilog=self.epilog)(
            getattr(import_module(self.module), self.function)
        )
        command = typer.main.get_command(made)
        assert isinstance(command, TyperCommand)
        return command


class LazyGroup(TyperGroup):
    """`parts` are groups like this one, and commands as `module:function`, by their names."""

    def __init__(
        self,
        name: str,
        parts: Mapping[str, str | TyperGroup],
        *,
        help: str,
        epilog: str | None = None,
    ) -> None:
        commands: dict[str, Any] = {
            each: LazyCommand(each, part, epilog) if isinstance(part, str) else part
            for each, part in parts.items()
        }
        super().__init__(
            name=name, commands=commands, help=help, epilog=epilog, no_args_is_help=True
        )

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The one to be listed."""
        command = super().get_command(ctx, cmd_name)
        if isinstance(command, LazyCommand):
            command.help = command.docstring
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The one to be run."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest
