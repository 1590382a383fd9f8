"""Decimals with the bounds of their column."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from annotated_types import GroupedMetadata
from pydantic import Field, GetJsonSchemaHandler, ValidatorFunctionWrapHandler, WrapValidator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

# A zero with a larger exponent would pass every check of digits.
_NUMBER = re.compile(r"[+-]?([0-9]{1,100}\.?[0-9]{0,100}|\.[0-9]{1,100})([eE][+-]?[0-9]{1,2})?")
MAX_LENGTH = 100  # characters


@dataclass(frozen=True, slots=True)
class Digits(GroupedMetadata):
    """The bounds of a column NUMERIC(precision, scale), and those of the field within them.

    Without bounds, the driver would store 1E+131072 as 0 and fail on 0E-131072.
    """

    precision: int
    scale: int
    ge: Decimal | int | None = None
    le: Decimal | int | None = None

    def __iter__(self) -> Iterator[Any]:
        beyond = 10 ** (self.precision - self.scale)
        yield Field(
            decimal_places=self.scale,
            gt=-beyond if self.ge is None else None,
            ge=self.ge,
            le=self.le,
            lt=beyond if self.le is None else None,
            strict=False,
        )
        yield WrapValidator(self._reader())
        yield _DocumentedDigits(self.precision - self.scale, self.scale)

    def _reader(self) -> Callable[[Any, ValidatorFunctionWrapHandler], Any]:
        fraction = rf"(\.[0-9]{{1,{self.scale}}})?" if self.scale else ""
        plain = re.compile(rf"[0-9]{{1,{self.precision}}}{fraction}").fullmatch
        greatest = Decimal((0, (9,) * self.precision, -self.scale))
        low = Decimal(0 if self.ge is None else self.ge)
        high = greatest if self.le is None else Decimal(self.le)

        def read(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
            if isinstance(value, str):
                # Most values have this form, and pydantic takes longer to count digits.
                if plain(value) and low <= (number := Decimal(value)) <= high:
                    return number
                # Decimal() accepts `1_0`, ` 1 ` and the digits of every script.
                if len(value) > MAX_LENGTH or not _NUMBER.fullmatch(value):
                    raise ValueError("must be a decimal number")
            elif isinstance(value, bool):
                raise ValueError("must be a decimal number")  # noqa: TRY004 - pydantic's contract
            return validate(value)

        return read


@dataclass(frozen=True, slots=True)
class _DocumentedDigits:
    """Documents how many digits go before and after the point, which pydantic leaves out."""

    whole: int
    scale: int

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        number, text = handler(schema)["anyOf"]
        number["multipleOf"] = 10.0**-self.scale
        sign = r"\+?" if number.get("minimum", -1) >= 0 else "[+-]?"
        whole = rf"0*\d{{1,{self.whole}}}" if self.whole else "0+"
        bare = rf"\.\d{{1,{self.scale}}}0*" if self.scale else r"\.0+"
        text["maxLength"] = MAX_LENGTH
        text["pattern"] = rf"^{sign}({whole}(\.\d{{0,{self.scale}}}0*)?|{bare})$"
        return {"anyOf": [number, text]}
