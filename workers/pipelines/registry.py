"""Which engine runs a task on this node. Engines are imported when their first attempt comes."""

import importlib
from functools import cache

from workers.pipelines.base import EngineFailed, Pipeline


@cache
def pipeline(task: str) -> Pipeline:
    """The engine of `task`: PIPELINE in `workers/pipelines/<task with underscores>/pipeline.py`.

    Raises:
        EngineFailed: there is none here, or what it needs is not installed.
    """
    module = f"workers.pipelines.{task.replace('.', '_')}.pipeline"
    try:
        found: Pipeline = importlib.import_module(module).PIPELINE
    except ModuleNotFoundError as error:
        raise EngineFailed(
            f"This node cannot run {task}: {error.name} is not installed.", code="engine_missing", retryable=True
        ) from error
    return found
