"""What a cursor holds, and that only its own secret, caller and route can read it."""

from dataclasses import replace
from uuid import UUID

import pytest

from app.core.list_query import Position
from app.dispatch.cursors import Cursors, cursor_key
from app.exceptions import InvalidCursor
from tests.lamps.filters import LampFilter
from tests.lamps.models import Lamp

SELECTION = LampFilter.model_validate({"order_by": ["name"]}).selection


def cursors(signed_with: str = "secret", about: str = "me here", order_by: str = "name") -> Cursors:
    selection = LampFilter.model_validate({"order_by": [order_by]}).selection
    return Cursors([cursor_key(signed_with)], Lamp, about, selection)


class TestSecret:
    position = Position(("a", UUID(int=7)))

    def test_what_was_written_is_read(self) -> None:
        back = replace(self.position, backwards=True)
        for position in (self.position, back, Position(backwards=True)):
            assert cursors().read(cursors().write(position)) == position

    @pytest.mark.parametrize(
        "other",
        [{"signed_with": "other"}, {"about": ""}, {"about": "me her"}, {"about": "me here "}],
    )
    def test_another_secret_caller_or_route_reads_nothing(self, other: dict[str, str]) -> None:
        with pytest.raises(InvalidCursor):
            cursors(**other).read(cursors().write(self.position))

    def test_an_earlier_secret_reads_and_the_first_one_writes(self) -> None:
        old, new, third = (cursor_key(each) for each in ("old", "new", "third"))
        made = Cursors([old], Lamp, "me", SELECTION).write(self.position)
        rotated = Cursors([new, third, old], Lamp, "me", SELECTION)
        assert rotated.read(made) == self.position
        written = rotated.write(self.position)
        assert written == Cursors([new], Lamp, "me", SELECTION).write(self.position)
        with pytest.raises(InvalidCursor):
            Cursors([new, third], Lamp, "me", SELECTION).read(made)

    def test_a_column_that_became_of_another_type_refuses_it(self) -> None:
        numbers = cursors(order_by="quantity")
        with pytest.raises(InvalidCursor):
            numbers.read(numbers.write(Position(("many", UUID(int=7)))))
