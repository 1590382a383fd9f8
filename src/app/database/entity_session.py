"""What an ORM session does to entities: soft deletes, references, and bulk updates.

That the version is compared and raised, and `updated_at` set, is in the entity's mapper.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Update, event, func, inspect
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction, with_loader_criteria
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.util import await_

from app.core.models import Entity, reference_fields

INCLUDE_DELETED = "include_deleted"

LIVE = with_loader_criteria(
    Entity, lambda entity: entity.deleted_at.is_(None), include_aliases=True
)

type Hold = Callable[[type[Entity], Mapping[str, Sequence[UUID]]], Awaitable[None]]
"""Keeps the rows that are referred to from being deleted; given ids by field."""

type Follow = Callable[[type[Entity], Sequence[UUID]], Awaitable[None]]
"""Does to rows that refer to deleted ones what the reference says; given the deleted ids."""


class EntitySession(Session):
    """Keeps the rules of entities as a repository does, but for owners: it knows no caller."""

    def __init__(self, *args: Any, hold: Hold, follow: Follow, **options: Any) -> None:
        super().__init__(*args, **options)
        self._hold = hold
        self._follow = follow
        self._soft_deleted: list[Entity] = []

    def flush(self, objects: Sequence[Any] | None = None) -> None:
        try:
            super().flush(objects)
        finally:
            self._soft_deleted.clear()

    def soften_deletes(self) -> None:
        """Update the entities that are to be deleted; other instances are deleted for good."""
        for instance in self.deleted:
            if isinstance(instance, Entity):
                self._update_impl(instance_state(instance))  # and so not deleted any more
                if instance.deleted_at is None:
                    instance.deleted_at = func.now()
                    self._soft_deleted.append(instance)

    def keep_references(self) -> None:
        """Hold what the flushed rows refer to, and do to those that refer to deleted ones."""
        new = {each for each in self.new if isinstance(each, Entity)}
        new_ids = {each.id for each in new}
        held: dict[type[Entity], dict[str, list[UUID]]] = {}
        deleted: dict[type[Entity], list[UUID]] = {}
        for instance in (*new, *self.dirty):
            if not isinstance(instance, Entity):
                continue
            model = type(instance)
            moved = instance not in new and _has_changed(instance, "deleted_at")
            if instance in self._soft_deleted or (moved and instance.deleted_at is not None):
                deleted.setdefault(model, []).append(instance.id)
                continue
            whole = moved or instance in new
            for field in reference_fields(model):
                if whole or _has_changed(instance, field):
                    id = getattr(instance, field)
                    if id is not None and id not in new_ids:
                        held.setdefault(model, {}).setdefault(field, []).append(id)
        for model, ids in held.items():
            await_(self._hold(model, ids))
        for model, gone in deleted.items():
            await_(self._follow(model, gone))

    def forget_deleted(self) -> None:
        """Have them in the state that an ORM delete leaves, from which a rollback takes them."""
        for instance in self._soft_deleted:
            set_committed_value(instance, "deleted_at", instance.updated_at)  # is the same now()
        self._remove_newly_deleted(map(instance_state, self._soft_deleted))


def _has_changed(instance: Entity, field: str) -> bool:
    return inspect(instance).attrs[field].history.has_changes()


@event.listens_for(EntitySession, "before_flush")
def _before_flush(session: EntitySession, _: UOWTransaction, __: Iterable[Any] | None) -> None:
    session.soften_deletes()


@event.listens_for(EntitySession, "after_flush")
def _after_flush(session: EntitySession, _: UOWTransaction) -> None:
    session.keep_references()


@event.listens_for(EntitySession, "after_flush_postexec")
def _after_flush_postexec(session: EntitySession, _: UOWTransaction) -> None:
    session.forget_deleted()


@event.listens_for(EntitySession, "do_orm_execute")
def _on_execute(state: ORMExecuteState) -> None:
    include_deleted = state.execution_options.get(INCLUDE_DELETED, False)
    if state.is_select:
        # A relationship inherits it from its parent; a column is of an instance that is known.
        known = state.is_column_load or LIVE in state.statement._with_options  # noqa: SLF001
        if not include_deleted and not known:
            state.statement = state.statement.options(LIVE)
        return
    model = state.bind_mapper.class_ if state.bind_mapper else None
    if model is None or not issubclass(model, Entity):
        return
    name = model.__name__
    if state.is_delete:
        raise TypeError(
            f"delete({name}) would remove rows for good: use `await session.delete(instance)` or "
            f"the repository's bulk_delete, or `work.execute(delete({name}))` if they are to go"
        )
    if state.is_update:
        state.statement = _counted(state, model)
        if not include_deleted:
            state.statement = state.statement.options(LIVE)


def _counted(state: ORMExecuteState, model: type[Entity]) -> Update:
    """The update with what each write of an entity changes beside its fields."""
    statement = state.statement
    assert isinstance(statement, Update)
    if state.is_executemany:
        raise TypeError(
            f"update({model.__name__}) with a list of rows compares no version: change the "
            "instances, or write update(…).where(…).values(…)"
        )
    names = {getattr(key, "key", key) for key in statement._values or ()}  # noqa: SLF001 - no other way
    if "deleted_at" in names:
        raise TypeError(
            f"update({model.__name__}) cannot set deleted_at, as rows may refer to these: use "
            "`await session.delete(instance)` or the repository's bulk_delete and restore"
        )
    return statement.values(version=model.version + 1, updated_at=func.now())
