"""The routing table, and the rule that a task is three files of one name."""

import importlib
from collections import Counter
from importlib.util import find_spec

import pytest

from media.catalog import registry
from workers.protocol import names
from workers.protocol.inputs.base import Wire
from workers.protocol.pools import Pool, pool_of, pools

TASKS = ("diagnostic.noop", "image.generate", "video.combine", "video.resize")


def test_the_table_as_it_stands() -> None:
    assert pools() == {
        "image": Pool(name="image", tasks=("image.generate",), prefetch=2, scalable=False, cold_start_seconds=0),
        "video-tools": Pool(
            name="video-tools",
            tasks=("video.combine", "video.resize"),
            prefetch=1,
            scalable=False,
            cold_start_seconds=0,
        ),
        "diagnostic": Pool(
            name="diagnostic", tasks=("diagnostic.noop",), prefetch=16, scalable=False, cold_start_seconds=0
        ),
    }


def test_each_task_is_in_exactly_one_pool() -> None:
    times = Counter(task for pool in pools().values() for task in pool.tasks)
    assert times == dict.fromkeys(TASKS, 1)


def test_the_catalogue_and_the_pools_name_the_same_tasks() -> None:
    assert set(registry.all_tasks()) == {task for pool in pools().values() for task in pool.tasks}
    for name in registry.all_tasks():
        assert name in pool_of(name).tasks


def test_a_task_without_a_pool_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"no pool in pools\.toml runs music\.compose"):
        pool_of("music.compose")


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_three_files_of_one_name(task: str) -> None:
    module = task.replace(".", "_")
    camel = "".join(part.capitalize() for part in module.split("_"))
    inputs = importlib.import_module(f"workers.protocol.inputs.{module}")
    entry = importlib.import_module(f"media.catalog.{module}").TASK
    assert entry.name == task
    assert entry.input_model is getattr(inputs, f"{camel}Input")
    assert entry.params_model is getattr(inputs, f"{camel}Params")
    assert issubclass(entry.input_model, Wire)
    assert issubclass(entry.params_model, Wire)
    assert find_spec(f"workers.pipelines.{module}.pipeline") is not None


def test_names_and_queues() -> None:
    assert {names.DIAGNOSTIC_NOOP, names.IMAGE_GENERATE, names.VIDEO_COMBINE, names.VIDEO_RESIZE} == set(TASKS)
    assert [names.queue(pool) for pool in pools()] == ["pool.image", "pool.video-tools", "pool.diagnostic"]
    assert names.RUN_ATTEMPT == "workers.run_attempt"
