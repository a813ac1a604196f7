"""Which tasks this installation offers."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from django.conf import settings

from core.errors import InvalidRequest
from media import catalog
from media.catalog.task import Task
from workers.protocol import names


@cache
def all_tasks() -> Mapping[str, Task]:
    """Every task by name: each module of this package that has a TASK."""
    found: dict[str, Task] = {}
    for module in pkgutil.iter_modules(catalog.__path__):
        task = getattr(importlib.import_module(f"{catalog.__name__}.{module.name}"), "TASK", None)
        if task is not None:
            found[task.name] = task
    return found


def offered() -> list[Task]:
    """The tasks a client may submit here, by name."""
    return [
        task
        for _, task in sorted(all_tasks().items())
        if task.name != names.DIAGNOSTIC_NOOP or settings.DIAGNOSTIC_TASKS
    ]


def get(name: object) -> Task:
    """The task a request names.

    Raises:
        InvalidRequest: it is not offered.
    """
    task = all_tasks().get(name) if isinstance(name, str) else None
    if task is None or task not in offered():
        choices = ", ".join(task.name for task in offered())
        raise InvalidRequest({"task": f"is not one of the tasks on offer: {choices}"})
    return task
