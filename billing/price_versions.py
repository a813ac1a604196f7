"""Price versions: a task's formula and coefficients from a moment on. Published, never changed."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction

from core import clock, ids

_CACHE_SECONDS = 5.0
_cache: dict[str, tuple[float, tuple["PriceVersion", ...]]] = {}
"""Task → (monotonic time it goes stale, its versions, newest first)."""


class NoPrice(LookupError):
    """The task has no price at this time: it was never published, so it must not be sold."""


class PriceTaken(ValueError):
    """Another price of the task starts at this very moment."""


class PriceVersion(models.Model):
    """The price of one task from `active_from` until the next version. The database refuses to change it."""

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    task = models.TextField()
    formula = models.TextField()
    """The name of a formula in the task's catalogue entry; formulas are added, never edited."""
    coefficients = models.JSONField()
    active_from = models.DateTimeField()
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("task", "active_from"), name="billing_priceversion_start"),)

    def __str__(self) -> str:
        return f"{self.task} from {self.active_from:%Y-%m-%d %H:%M}"


def current_price_version(*, task: str, now: datetime) -> PriceVersion:
    """The version of `task` active at `now`.

    The task's versions are remembered in this process for a few seconds, scheduled ones included: a version
    published elsewhere may be seen that much late, one already known takes effect at its exact time.

    Raises:
        NoPrice: no version of `task` is active at `now`.
    """
    stale_at, versions = _cache.get(task, (0.0, ()))
    if stale_at <= time.monotonic():
        versions = tuple(PriceVersion.objects.filter(task=task).order_by("-active_from"))
        _cache[task] = (time.monotonic() + _CACHE_SECONDS, versions)
    for version in versions:
        if version.active_from <= now:
            return version
    raise NoPrice(task)


def price_version(*, version_id: UUID) -> PriceVersion:
    """The version of this id, whether or not it is the current one.

    Raises:
        NoPrice: there is none.
    """
    version = PriceVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NoPrice(str(version_id))
    return version


def publish_price_version(*, task: str, formula: str, coefficients: Mapping[str, Any], now: datetime) -> PriceVersion:
    """Make (`formula`, `coefficients`) the price of `task` from `now` on; the current version when it is equal.

    Raises:
        PriceTaken: another price of `task` starts at exactly `now`.
        TypeError: a coefficient is a float; money is computed from integers and fractions written as text.
    """
    wanted = dict(coefficients)
    _refuse_floats(wanted)
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Two publishers of one task take turns, so that the same price is not published twice.
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"price:{task}"])
        current = PriceVersion.objects.filter(task=task, active_from__lte=now).order_by("-active_from").first()
        if current is not None and (current.formula, current.coefficients) == (formula, wanted):
            return current
        if current is not None and current.active_from == now:
            raise PriceTaken(task)
        version = PriceVersion.objects.create(task=task, formula=formula, coefficients=wanted, active_from=now)
        transaction.on_commit(forget_cached_versions)
    forget_cached_versions()
    return version


def forget_cached_versions() -> None:
    """Read price versions afresh from now on, in this process."""
    _cache.clear()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"a coefficient is an integer or a fraction written as text, not {value!r}")
    if isinstance(value, Mapping):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for element in value:
        _refuse_floats(element)
