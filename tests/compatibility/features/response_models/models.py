"""The models that both halves of the page use."""

from typing import Any, Literal

from pydantic import BaseModel


class Item(BaseModel):
    name: str
    description: str | None = None
    price: float
    tax: float = 10.5
    tags: list[str] = []


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


class Page[T](BaseModel):
    items: list[T]
    total: int


ITEMS: dict[str, dict[str, Any]] = {
    "foo": {"name": "Foo", "price": 50.2},
    "bar": {"name": "Bar", "description": None, "price": 62, "tax": 20.2, "tags": []},
    "baz": {"name": "Baz", "description": "B", "price": 5, "tax": 10.5, "tags": ["a"]},
}
