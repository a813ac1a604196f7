"""Publishing prices and finding the one that is active."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import PriceVersion
from billing.price_versions import (
    NoPrice,
    PriceTaken,
    current_price_version,
    forget_cached_versions,
    publish_price_version,
)

from .racing import race, results

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
publish = partial(publish_price_version, task="image.generate", formula="flat")


def current(now: datetime) -> PriceVersion:
    return current_price_version(task="image.generate", now=now)


def test_a_version_is_active_from_its_time_on(db: None) -> None:
    first = publish(coefficients={"base": 40_000}, now=NOON)
    second = publish(coefficients={"base": 50_000}, now=NOON + 10 * SECOND)

    assert current(NOON) == first
    assert current(NOON + 10 * SECOND - timedelta(microseconds=1)) == first
    assert current(NOON + 10 * SECOND) == second
    assert current(NOON + 10 * SECOND).coefficients == {"base": 50_000}
    with pytest.raises(NoPrice):
        current(NOON - SECOND)
    with pytest.raises(NoPrice):
        current_price_version(task="video.resize", now=NOON)


def test_publishing_the_current_price_again_changes_nothing(db: None) -> None:
    first = publish(coefficients={"base": 1, "rates": [1, {"a": "1/3"}]}, now=NOON)
    assert publish(coefficients={"rates": [1, {"a": "1/3"}], "base": 1}, now=NOON + SECOND) == first
    assert PriceVersion.objects.count() == 1
    changed = publish(coefficients={"base": 2}, now=NOON + SECOND)
    back = publish(coefficients={"base": 1, "rates": [1, {"a": "1/3"}]}, now=NOON + 2 * SECOND)
    assert len({first.pk, changed.pk, back.pk}) == 3


@pytest.mark.parametrize("coefficients", [{"base": 0.04}, {"rates": [1, 2.0]}, {"a": {"b": ({"c": 1e9},)}}])
def test_a_price_has_no_floats(db: None, coefficients: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="coefficient"):
        publish(coefficients=coefficients, now=NOON)
    assert PriceVersion.objects.count() == 0


def test_the_current_version_is_remembered(db: None) -> None:
    publish(coefficients={"base": 1}, now=NOON)
    current(NOON)
    with CaptureQueriesContext(connection) as queries:
        current(NOON + SECOND)
    assert len(queries) == 0
    forget_cached_versions()
    with CaptureQueriesContext(connection) as queries:
        current(NOON + SECOND)
    assert len(queries) == 1


def test_a_version_published_here_is_seen_at_once(db: None) -> None:
    publish(coefficients={"base": 1}, now=NOON)
    current(NOON)
    second = publish(coefficients={"base": 2}, now=NOON + SECOND)
    assert current(NOON + SECOND) == second


@pytest.mark.django_db(transaction=True)
def test_publishers_race_and_publish_one_version() -> None:
    versions = results(race([partial(publish, coefficients={"base": 1}, now=NOON)] * 8))
    assert len({version.pk for version in versions}) == 1
    assert PriceVersion.objects.count() == 1


def test_one_moment_has_one_price(db: None) -> None:
    first = publish(coefficients={"base": 1}, now=NOON)
    with pytest.raises(PriceTaken):
        publish(coefficients={"base": 2}, now=NOON)
    assert current(NOON) == first
    assert PriceVersion.objects.count() == 1
