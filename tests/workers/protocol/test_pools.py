"""The routing table, and the rule that a task is three files of one name."""

import importlib
from collections import Counter
from importlib.util import find_spec

import pytest

from media.catalog import registry
from workers.protocol import names
from workers.protocol.inputs.base import Wire
from workers.protocol.pools import Pool, pool_of, pools

TASKS = (
    "ace.step.create",
    "audio.annotation.reference",
    "audio.speak",
    "diagnostic.noop",
    "image.edit",
    "image.generate",
    "moss.sound.effect",
    "trellis.generate",
    "video.combine",
    "video.generate",
    "video.resize",
)


def pool(name: str, *tasks: str, prefetch: int) -> Pool:
    return Pool(name=name, tasks=tasks, prefetch=prefetch, scalable=False, cold_start_seconds=0)


def test_the_table_as_it_stands() -> None:
    table = [
        pool("image", "image.generate", "image.edit", prefetch=2),
        pool("video", "video.generate", prefetch=1),
        pool("video-tools", "video.combine", "video.resize", prefetch=1),
        pool("speech", "audio.speak", prefetch=1),
        pool("speech-gemini", prefetch=4),
        pool("annotation", "audio.annotation.reference", prefetch=1),
        pool("music", "ace.step.create", prefetch=1),
        pool("sound", "moss.sound.effect", prefetch=2),
        pool("shape", "trellis.generate", prefetch=1),
        pool("diagnostic", "diagnostic.noop", prefetch=16),
    ]
    assert pools() == {entry.name: entry for entry in table}


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
    named = {value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    assert named == {*TASKS, names.RUN_ATTEMPT}
    assert names.queue("speech-gemini") == "pool.speech-gemini"
    assert names.RUN_ATTEMPT == "workers.run_attempt"


def test_gemini_has_a_pool_of_its_own() -> None:
    task = registry.all_tasks()["audio.speak"]
    params = {"text": "Hello.", "mode": "voice_design", "voice": {}, "quality": "128k"}
    by_provider = {
        provider: task.pool_of(task.params_model.model_validate({**params, "provider": provider}))
        for provider in ("omnivoice", "gemini")
    }
    assert by_provider == {"omnivoice": "speech", "gemini": "speech-gemini"}
    assert set(by_provider.values()) <= pools().keys()
