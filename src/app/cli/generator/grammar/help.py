"""The grammar of a field, for `--help`. No line is longer than 76 characters, or it would wrap."""

from textwrap import fill

from app.cli.generator.grammar.kinds import ELEMENTS, FLAGS, KINDS

ARGUMENTS = {"str": "[:N]", "decimal": ":P.S", "enum": ":a/b/c", "ref": ":ENTITY", "array": ":TYPE"}
VALUES = {
    "default": "=V", "min": "=V", "max": "=V", "ondelete": "=restrict|cascade|setnull",
}  # fmt: skip


def _row(name: str, text: str) -> str:
    if len(name) > 13:
        return f"  {name}\n{_row('', text)}"
    return fill(text, 76, initial_indent=f"  {name:14}", subsequent_indent=" " * 16)


TYPES = "\n".join(
    _row(kind.name + ARGUMENTS.get(kind.name, ""), kind.help) for kind in KINDS.values()
)
FLAG_TABLE = "\n".join(_row(flag + VALUES.get(flag, ""), text) for flag, text in FLAGS.items())
GRAMMAR = f"""\b
A field is name:type[:argument][:flag…], such as amount:decimal:12.2:min=0

\b
Types
{TYPES}
{_row("", "TYPE is one of " + ", ".join(ELEMENTS))}

\b
Flags
{FLAG_TABLE}

\b
For example
  app new entity customer name:str:120:search --owner user
  app new entity invoice number:str:32:unique amount:decimal:12.2:min=0 \\
      status:enum:draft/sent/paid:default=draft \\
      customer:ref:customer:ondelete=restrict tags:array:str --owner user
  app new field invoice paid_at:datetime:null
  app remove field invoice paid_at
  app remove entity invoice
"""
