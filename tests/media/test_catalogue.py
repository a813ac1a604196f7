"""GET /api/v1/media/tasks: what may be ordered here, at what price, and who is there to do it."""

from datetime import timedelta
from typing import Any

import pytest

from billing.price_versions import publish_price_version
from core import clock
from media.catalog import registry
from media.fleet import selectors as fleet
from media.models import Node
from tests.media.customers import ESTIMATE, Customer

pytestmark = pytest.mark.django_db

TASKS = "/api/v1/media/tasks"


def entries(customer: Customer) -> dict[str, Any]:
    answer = customer.get(TASKS)
    assert (answer.status_code, answer.json().keys()) == (200, {"tasks"})
    return {entry["task"]: entry for entry in answer.json()["tasks"]}


def test_every_task_says_what_it_costs_and_who_runs_it(customer: Customer) -> None:
    found = entries(customer)
    assert list(found) == [task.name for task in registry.offered()]
    assert len(found) == 10
    image = found["image.generate"]
    assert image.keys() == {
        "task",
        "title",
        "inputSchema",
        "exampleInput",
        "presets",
        "price",
        "pool",
        "etaSeconds",
    }
    assert image["presets"] == {}
    assert image["price"] == {
        "formula": "image.v1",
        "coefficients": {"floor": 10_000, "per_megapixel": 40_000, "high_detail_percent": 150},
        "explanation": registry.all_tasks()["image.generate"].explanation,
        "minimumUsdMicros": 10_000,
        "minimumUsd": "0.01",
    }
    assert image["pool"] == {"name": "image", "liveNodes": 1, "slots": 2}
    assert image["etaSeconds"] == {"minimum": 1, "maximum": 20}
    assert found["video.combine"]["pool"]["name"] == found["video.resize"]["pool"]["name"] == "video-tools"
    assert (found["video.resize"]["price"]["minimumUsdMicros"], found["video.resize"]["price"]["minimumUsd"]) == (
        5_000,
        "0.005",
    )


def test_the_catalogue_shows_the_price_of_today(customer: Customer) -> None:
    publish_price_version(task="video.combine", formula="combine.v1", coefficients={"per_clip": 6_000}, now=clock.now())
    tomorrow = clock.now() + timedelta(days=1)
    publish_price_version(task="video.combine", formula="combine.v1", coefficients={"per_clip": 9_000}, now=tomorrow)
    assert entries(customer)["video.combine"]["price"]["coefficients"] == {"per_clip": 6_000}


def test_a_dead_pool_is_shown_as_one(customer: Customer) -> None:
    Node.objects.update(last_seen_at=clock.now() - timedelta(seconds=21))
    fleet._recent = (0.0, {})
    assert entries(customer)["image.generate"]["pool"] == {"name": "image", "liveNodes": 0, "slots": 0}


def test_the_diagnostic_task_is_offered_only_where_it_is_switched_on(customer: Customer, settings: Any) -> None:
    assert "diagnostic.noop" not in entries(customer)
    settings.DIAGNOSTIC_TASKS = True
    assert entries(customer)["diagnostic.noop"]["price"]["minimumUsdMicros"] == 1
    answer = customer.submit("diagnostic.noop", {})
    assert (answer.status_code, answer.json()["usdChargedMicros"]) == (201, 1)


def test_what_a_left_out_field_is_stands_in_the_catalogue(customer: Customer) -> None:
    found = entries(customer)
    assert {task: sorted(entry["presets"]) for task, entry in found.items() if entry["presets"]} == {
        "ace.step.create": ["default", "high_quality"],
        "moss.sound.effect": ["default"],
        "trellis.generate": ["balanced", "fidelity", "performance"],
    }
    for task in ("ace.step.create", "moss.sound.effect", "trellis.generate"):
        for name, preset in found[task]["presets"].items():
            chosen = {} if name == "default" else {"qualityPreset": name}
            smallest = {"tags": "x", "lyrics": "x"} if task.startswith("ace") else {"prompt": "x"}
            if task.startswith("trellis"):
                smallest = {"sourceImageUrl": "https://media.example.com/a.png"}
            answer = customer.post(ESTIMATE, {"task": task, "input": {**smallest, **chosen}})
            effective = answer.json()["effectiveInput"]
            assert {field: effective[field] for field in preset} == preset
            fields = found[task]["inputSchema"]["properties"].keys()
            assert preset.keys() <= fields
