"""The simple way to find processable tasks: nested objects through an ORM, one query for the dependencies of each."""

from __future__ import annotations

from time import perf_counter
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, relationship

from offermatch.scheduler.store.database import Database
from offermatch.scheduler.store.schema import dependencies, metadata, tasks

__all__ = ["Nested", "nested_objects"]


class _Base(DeclarativeBase):
    metadata = metadata


class _Task(_Base):
    __table__ = tasks
    state: Mapped[str]
    needs: Mapped[list[_Task]] = relationship(
        "_Task",
        secondary=dependencies,
        primaryjoin=tasks.c.id == dependencies.c.task_id,
        secondaryjoin=tasks.c.id == dependencies.c.needs_id,
        viewonly=True,
    )


class Nested(NamedTuple):
    """What the simple way takes.

    Attributes:
        seconds: For all tasks that are not done, from the part that was measured.
        fraction: That part.
    """

    seconds: float
    fraction: float


def nested_objects(url: str, budget: float) -> Nested:
    """Return how long it takes to find the processable tasks of a store the simple way.

    Args:
        url: The store.
        budget: Seconds after which to stop; what is left is taken to cost as much.
    """
    database = Database(url)
    try:
        with database.read() as connection, Session(connection) as session:
            unfinished: Any = tasks.c.state.in_(("pending", "ready"))
            whole = session.scalar(select(func.count()).select_from(tasks).where(unfinished)) or 0
            looked = processable = 0
            begin = perf_counter()
            # In steps, spread over the tasks, so that early and late ones count alike.
            steps = 50
            for step in range(steps):
                part = select(_Task).where(unfinished, tasks.c.id % (whole // 100 or 1) == step).limit(200)
                for task in session.scalars(part):
                    processable += all(needed.state == "done" for needed in task.needs)
                    looked += 1
                # What a scheduler would have read once is not kept for the next step.
                session.expunge_all()
                if perf_counter() - begin > budget:
                    break
            seconds = perf_counter() - begin
    finally:
        database.close()
    return Nested(seconds * whole / max(looked, 1), looked / max(whole, 1))
