"""The line of an entity: what is wrong with it, and what would do instead."""

import pytest

from app.cli.generator.grammar.kinds import KINDS
from app.cli.generator.grammar.parsing import parse_fields
from app.cli.generator.grammar.reserved import LIST_PARAMETERS
from tests.cli.generator.lines import TARGETS


def problems(*texts: str) -> list[str]:
    return parse_fields(texts, "invoice", TARGETS)[1]


class TestFields:
    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("number", "needs a type, such as number:str"),
            ("number:", "needs a type, such as number:str"),
            ("number::null", "needs a type, such as number:str"),
            ("number:str:", "there is nothing after one of its colons"),
            ("number:str::null", "there is nothing after one of its colons"),
            ("number:str:=5", "there is nothing after one of its colons"),
            ("number:strng", "no type strng; did you mean str?"),
            ("number:varchar:32", "no type varchar; did you mean str?"),
            ("total_price:money:12.2", "no type money; did you mean decimal?"),
            ("paid:Boolean", "no type Boolean; did you mean bool?"),
            ("number:str:uniqe", "no flag uniqe; did you mean unique?"),
            ("number:str:unique:unique", "unique is given twice"),
            ("number:str:unique=yes", "write unique, not unique=yes"),
            ("number:str:max", "write max=VALUE, not max"),
            ("number:str:0", "0 is not a valid argument of str, such as str:32"),
            ("number:str:20000", "a str has up to 10000 characters"),
            ("body:text:500", "text takes no number; use max=500"),
            ("Number:str", "Number must be up to 40 lower case letters"),
            ("dueOn:date", ", such as due_on"),
            ("class:str", "class is a word of Python: use invoice_class"),
            ("l:str", "l looks like the digit 1: use invoice_l"),
            ("size_of:enum:2d/3d", "2d/3d is not a valid argument of enum: each word is a letter,"),
            ("none:str", "none is a word of Python: use invoice_none"),
            ("metadata:json", "metadata is a name that every entity uses itself: use "),
            ("version:int", "version is a name that every entity uses itself: use in"),
            ("user:str", "user is a word of SQL: use invoice_user"),
            ("status:enum:", "enum needs an argument, such as enum:draft/sent"),
            ("status:enum:a/A", "the words of an enum must differ"),
            ("status:enum:draft/sent:default=sant", "default=sant is not a word of the enum; did"),
            ("filter:enum:a/b", "an enum cannot be called filter: use filter_kind"),
            ("amount:decimal", "decimal needs an argument, such as decimal:12.2"),
            ("amount:decimal:2.4", "a decimal has up to 38 digits, and no more than that"),
            ("amount:decimal:5.2:max=1000", "max=1000 has more digits than decimal:5.2"),
            ("amount:decimal:5.2:default=NaN", "default=NaN is not a valid decimal"),
            ("amount:int:min=5:max=3", "min is greater than max"),
            ("amount:int:max=2147483648", "max=2147483648 is not a valid value for int"),
            ("amount:int:min=1:default=0", "default=0 is out of bounds"),
            ("name:str:4:default=12345", "default=12345 is out of bounds"),
            ("due_on:date:default=2026-02-30", "default=2026-02-30 is not a valid date"),
            ("at:datetime:default=2026-01-05T12:00", "is not a valid datetime"),
            ("paid:bool:min=1", "min makes no sense for bool"),
            ("paid:bool:search", "search makes no sense for bool"),
            ("body:text:unique", "unique makes no sense for text"),
            ("mail:email:default=me", "default makes no sense for email"),
            ("number:str:unique:null", "a unique field cannot be null"),
            ("number:str:unique:default=x", "a unique field cannot have a default"),
            (
                "number:str:hidden:readonly",
                "a field that is hidden and readonly is in no request and no answer",
            ),
            (
                "number:str:hidden:search",
                "a hidden field cannot be searched: a search would reveal it",
            ),
            (
                "number:str:hidden:unique",
                "a hidden field cannot be unique: a conflict would reveal it",
            ),
            ("number:str:readonly", "a readonly field needs null or a default"),
            ("buyer:ref:custmer", "no entity custmer; did you mean customer?"),
            ("buyer:ref:supplier", "no entity supplier; write it with `app new entity supplier …`"),
            ("buyer:ref:customer:ondelete=setnul", "no rule ondelete=setnul; did you mean setnull"),
            ("buyer:ref:customer:ondelete=setnull", "ondelete=setnull needs null"),
            ("number:str:ondelete=cascade", "only a ref can have ondelete"),
            ("owner:ref:customer", "owner_id is a name that every entity uses itself"),
            ("before:ref:invoice", "needs null: the first invoice has no other to refer to"),
            ("tags:array:enum", "no array of enum; choose one of bigint, bool, date"),
            ("tags:array:string", "no array of string; did you mean str?"),
            ("tags:array:str:max=101", "max=101 is not a valid count for array"),
            ("name:str:default=a b", "may hold letters, digits and _ : = . / - only"),
            ("name:str;rm", "may hold letters, digits and _ : = . / - only"),
            (":str", "the name must be up to 40"),
        ],
    )
    def test_names_what_is_wrong_and_what_would_do(self, text: str, problem: str) -> None:
        found = problems(text)
        assert any(each.startswith(f"{text}: ") and problem in each for each in found), found

    @pytest.mark.parametrize("name", sorted(LIST_PARAMETERS))
    def test_a_parameter_of_every_list_is_no_field(self, name: str) -> None:
        assert f"{name}:str: {name} is a parameter of every list" in problems(f"{name}:str")[0]

    def test_says_all_at_once(self) -> None:
        found = problems("Number:strng:uniqe", "page:int:serch", "page:int", "buyer:ref:custmer")
        assert [each.split(": ")[0] for each in found] == [
            "Number:strng:uniqe",
            "Number:strng:uniqe",
            "Number:strng:uniqe",
            "page:int:serch",
            "page:int:serch",
            "page:int",
            "buyer:ref:custmer",
            "page",
        ]

    @pytest.mark.parametrize("type", [name for name in KINDS if name not in {"enum", "decimal"}])
    def test_takes_each_type(self, type: str) -> None:
        argument = {"ref": ":customer", "array": ":str"}.get(type, "")
        assert problems(f"thing:{type}{argument}:null") == []

    def test_a_reference_may_be_called_like_what_is_a_word_of_sql(self) -> None:
        assert problems("user:ref:user", "order:ref:customer") == []

    def test_takes_times_with_their_colons(self) -> None:
        [opening, moment], wrong = parse_fields(
            [
                "opening:time:min=08:00:max=18:30",
                "moment:datetime:default=2026-01-05T12:00:00Z",
            ],
            "shop",
            TARGETS,
        )
        assert wrong == []
        assert opening.flags == {"min": "08:00", "max": "18:30"}
        assert moment.flags == {"default": "2026-01-05T12:00:00Z"}
