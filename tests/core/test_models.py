import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from app.core import registry
from app.core.models import uuid7
from app.users.models import User
from tests.lamps.models import Lamp


def test_a_key_is_a_uuid_of_version_7_that_tells_its_time() -> None:
    before = time.time()
    key = uuid7()
    milliseconds = key.int >> 80
    assert (key.version, key.variant) == (7, "specified in RFC 4122")
    assert abs(datetime.fromtimestamp(milliseconds / 1000, UTC).timestamp() - before) < 1


def test_keys_of_one_process_are_in_order_and_differ() -> None:
    keys = [uuid7() for _ in range(10_000)]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


FORK = """
import os
from app.core.models import uuid7

uuid7()  # which leaves random bits for the next ones
pid = os.fork()
os.write(1, b"%d " % (uuid7().int & 2**62 - 1))
if pid:
    os.waitpid(pid, 0)
"""


def test_two_processes_of_one_origin_make_different_keys() -> None:
    command = [sys.executable, "-c", FORK]
    of_both = subprocess.run(command, capture_output=True, check=True).stdout.split()
    assert len(set(of_both)) == 2


def test_the_registry_finds_the_entities_and_not_the_tables_beside_them() -> None:
    assert {Lamp, User} <= set(registry.entities())
    assert all(hasattr(each, "deleted_at") for each in registry.entities())


def test_the_registry_finds_the_routers() -> None:
    names = {module.__name__ for module in registry.modules("router")}
    assert {"app.accounts.router", "tests.lamps.router", "app.security_events.router"} <= names


REFUSED = """
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, configure_mappers, mapped_column, relationship
from app.core.models import Entity

class Child(Entity):
    __tablename__ = "children"
    parent_id = mapped_column(ForeignKey("parents.id"))

class Parent(Entity):
    __tablename__ = "parents"
    {member}

configure_mappers()
"""


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ('__mapper_args__ = {"eager_defaults": True}', "Parent: write __mapper_args__"),
        (
            'children = relationship("Child", cascade="all, delete-orphan")',
            "Parent.children: delete-orphan would remove rows of Child for good",
        ),
    ],
)
def test_a_model_that_goes_past_the_rules_is_refused(member: str, message: str) -> None:
    command = [sys.executable, "-c", REFUSED.format(member=member)]
    result = subprocess.run(command, capture_output=True, check=False, text=True)
    assert f"TypeError: {message}" in result.stderr
