"""Prices computed by hand: formula by formula, then through the API, where estimate, hold and charge are one figure."""

from fractions import Fraction
from typing import Any

import pytest

from billing.ledger.models import Transfer
from billing.price_versions import PriceVersion, current_price_version, publish_price_version
from core import clock
from media.catalog import registry
from media.catalog.money import micros
from media.services.publish_prices import publish_missing_prices
from tests.media.conftest import Hosted
from tests.media.customers import ESTIMATE, PROMPT, Customer
from tests.media.standin import StandIn

IMAGES: list[tuple[dict[str, Any], int]] = [
    ({}, 40_000),  # 1024² is 1 048 576: exactly one
    ({"highDetail": True}, 60_000),
    ({"upscale": True}, 90_000),
    ({"upscale": True, "highDetail": True}, 135_000),
    ({"aspectRatio": "1:1"}, 40_000),
    ({"aspectRatio": "16:9"}, 39_375),  # 1344 × 768 = 63/64 of it
    ({"aspectRatio": "9:16"}, 39_375),
    ({"aspectRatio": "9:7"}, 39_375),  # 1152 × 896 is as many
    ({"aspectRatio": "7:9", "highDetail": True}, 59_063),  # 59 062.5
    ({"aspectRatio": "16:9", "upscale": True}, 88_594),  # 88 593.75
    ({"aspectRatio": "16:9", "upscale": True, "highDetail": True}, 132_891),  # 132 890.625
    ({"width": 512, "height": 512}, 10_000),  # a quarter: exactly the floor
    ({"width": 512, "height": 544}, 10_625),
    ({"width": 512, "height": 544, "highDetail": True}, 15_938),  # 15 937.5
    ({"width": 480, "height": 480}, 10_000),  # 8 789.0625
    ({"width": 480, "height": 480, "highDetail": True}, 15_000),  # the floor first, then the half more
    ({"width": 480, "height": 480, "upscale": True}, 19_776),  # 720²: 19 775.390625
    ({"width": 480, "height": 480, "upscale": True, "highDetail": True}, 29_664),  # 29 663.0859375
    ({"width": 32, "height": 32}, 10_000),
    ({"width": 32, "height": 32, "upscale": True, "highDetail": True}, 15_000),
    ({"width": 32, "height": 131_072}, 160_000),  # 4 194 304 pixels in one thin line
    ({"width": 2048, "height": 2048}, 160_000),
    ({"width": 2048, "height": 2048, "upscale": True, "highDetail": True}, 540_000),
    ({"width": 512, "height": 512, "aspectRatio": "16:9"}, 10_000),  # the size wins
    ({"outputFormat": "png"}, 40_000),
]

RESIZES: list[tuple[int, int, str, str, int]] = [
    (1024, 1024, "8", "60", 13_389),  # 5 000 + 8 388.608
    (1024, 1024, "8", "30", 9_195),  # 5 000 + 4 194.304
    (1920, 1080, "10", "60", 25_736),  # 5 000 + 20 736, nothing to round
    (1920, 1080, "10", "120", 46_472),
    (1280, 720, "1", "24", 5_369),  # 5 000 + 368.64
    (2, 2, "1/10", "1", 5_001),  # 5 000 + 0.0000067: any part of a micro is one
    (7680, 7680, "600", "120", 70_783_880),
    (320, 180, "1001/500", "30000/1001", 5_058),  # 60 frames however they are called: 5 000 + 57.6
    (320, 180, "1001/500", "60", 5_116),  # 5 000 + 115.3152
    (320, 180, "1/3", "60", 5_020),  # 5 000 + 19.2
]


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [(0, 0), (1, 1), (Fraction(1, 10**30), 1), (Fraction(2), 2), (Fraction(2000001, 1000000), 3), (Fraction(5, 2), 3)],
)
def test_money_is_rounded_up_once(amount: Fraction | int, rounded: int) -> None:
    assert micros(amount) == rounded


@pytest.mark.parametrize(("clips", "amount"), [(2, 10_000), (3, 15_000), (24, 120_000)])
def test_combine_costs_by_the_clip(clips: int, amount: int) -> None:
    task = registry.all_tasks()["video.combine"]
    for seconds in ("0", "1", "86400"):
        assert task.prices["combine.v1"]({"clips": clips, "seconds": seconds}, task.coefficients) == amount


@pytest.mark.parametrize(("width", "height", "seconds", "rate", "amount"), RESIZES)
def test_resize_costs_by_the_megapixel_second(width: int, height: int, seconds: str, rate: str, amount: int) -> None:
    task = registry.all_tasks()["video.resize"]
    units = {"pixels": width * height, "seconds": seconds, "rate": rate}
    assert task.prices["resize.v1"](units, task.coefficients) == amount


def test_the_catalogue_publishes_these_coefficients() -> None:
    published = {task.name: (task.formula, dict(task.coefficients), task.floor_micros) for task in registry.offered()}
    image = ("image.v1", {"floor": 10_000, "per_megapixel": 40_000, "high_detail_percent": 150}, 10_000)
    clip = {"floor": 50_000, "per_frame_megapixel": 700, "reference_audio_percent": 125, "extreme_quality_percent": 150}
    speech = {"floor": 10_000, "per_gpu_second": 7_000, "gpu_ms_per_character": 20}
    gemini = {"gemini_floor": 5_000, "gemini_percent": 110, "gemini_per_audio_token": 20}
    minutes = {"first_minute": 30_000, "per_further_minute": 20_000, "without_transcript": 70_000}
    shape = {"per_step": 5_000, "texture_512": 20_000, "texture_1024": 60_000, "texture_2048": 150_000}
    assert published == {
        "ace.step.create": ("ace.v1", {"floor": 50_000, "per_kilobit": 8}, 50_000),
        "audio.annotation.reference": ("annotation.v1", minutes, 30_000),
        "audio.speak": ("speak.v1", speech | gemini, 5_000),
        "image.edit": image,
        "image.generate": image,
        "moss.sound.effect": ("moss.v1", {"floor": 10_000, "per_second": 4_000, "per_token": 8}, 10_000),
        "trellis.generate": ("trellis.v1", shape | {"faces_per_micro": 2, "per_1536": 60_000}, 140_500),
        "video.combine": ("combine.v1", {"per_clip": 5_000}, 10_000),
        "video.generate": ("video.v1", clip, 50_000),
        "video.resize": ("resize.v1", {"base": 5_000, "per_megapixel_second": 1_000}, 5_000),
    }


@pytest.mark.django_db
@pytest.mark.parametrize(("options", "amount"), IMAGES)
def test_an_image_costs_the_same_everywhere(
    customer: Customer, node: StandIn, options: dict[str, Any], amount: int
) -> None:
    task_input = {**PROMPT, **options}
    estimate = customer.post(ESTIMATE, {"task": "image.generate", "input": task_input})
    assert (estimate.status_code, estimate.json()["usdChargedMicros"]) == (200, amount)
    answer = customer.submit(task_input=task_input)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["usdChargedMicros"], body["billing"]["usdChargedMicros"]) == (amount, amount)
    assert customer.money() == (10_000_000 - amount, amount)
    node.finish(customer.job(body["externalJobId"]))
    assert customer.money() == (10_000_000 - amount, 0)
    moved = Transfer.objects.filter(reference__startswith="job:").order_by("id").values_list("kind", "amount")
    assert list(moved) == [("hold", amount), ("capture", amount)]


@pytest.mark.django_db
def test_resize_is_priced_by_what_was_probed(customer: Customer, host: Hosted, clips: dict[str, bytes]) -> None:
    host.files = {f"{name}.mp4": clip for name, clip in clips.items()}

    def price(name: str, **options: Any) -> tuple[int, dict[str, Any]]:
        task_input = {"sourceVideoUrl": host.url(name), "width": 320, "height": 180, **options}
        answer = customer.post(ESTIMATE, {"task": "video.resize", "input": task_input})
        assert answer.status_code == 200, answer.content
        return answer.json()["usdChargedMicros"], answer.json()["pricingMeta"]["units"]

    assert price("two.mp4") == (5_058, {"pixels": 57_600, "seconds": "2", "rate": "30"})
    assert price("two.mp4", frameRate=60) == (5_116, {"pixels": 57_600, "seconds": "2", "rate": "60"})  # 115.2
    assert price("two.mp4", sourceDurationSeconds=600) == (5_058, {"pixels": 57_600, "seconds": "2", "rate": "30"})
    assert price("ntsc.mp4") == (5_058, {"pixels": 57_600, "seconds": "1001/500", "rate": "30000/1001"})
    assert price("ntsc.mp4", frameRate=60) == (5_116, {"pixels": 57_600, "seconds": "1001/500", "rate": "60"})


@pytest.mark.django_db
def test_a_new_price_holds_from_its_moment_and_jobs_keep_theirs(customer: Customer, node: StandIn) -> None:
    old = customer.accepted()
    coefficients = {"floor": 10_000, "per_megapixel": 50_000, "high_detail_percent": 150}
    publish_price_version(task="image.generate", formula="image.v1", coefficients=coefficients, now=clock.now())
    new = customer.accepted()
    assert (old.price_micros, new.price_micros) == (40_000, 50_000)
    assert old.price_version_id != new.price_version_id
    assert new.pricing_meta == {
        "formula": "image.v1",
        "priceVersion": str(new.price_version_id),
        "coefficients": coefficients,
        "units": {"finishedPixels": 1_048_576, "highDetail": 0},
    }
    node.finish(old)
    assert customer.money() == (10_000_000 - 90_000, 50_000)


@pytest.mark.django_db
def test_publishing_missing_prices_leaves_the_operators_alone(priced: None) -> None:
    publish_price_version(task="video.combine", formula="combine.v1", coefficients={"per_clip": 7}, now=clock.now())
    before = PriceVersion.objects.count()
    assert publish_missing_prices() == []
    assert PriceVersion.objects.count() == before == 12
    assert current_price_version(task="video.combine", now=clock.now()).coefficients == {"per_clip": 7}
