"""Give every task of the catalogue a price."""

from billing.price_versions import NoPrice, current_price_version, publish_price_version
from core import clock
from media.catalog import registry


def publish_missing_prices() -> list[str]:
    """Publish the catalogue's coefficients for the tasks without any price version; their names.

    A task that has one is left alone: later versions are the operator's.
    """
    published = []
    for task in registry.all_tasks().values():
        now = clock.now()
        try:
            current_price_version(task=task.name, now=now)
        except NoPrice:
            publish_price_version(task=task.name, formula=task.formula, coefficients=dict(task.coefficients), now=now)
            published.append(task.name)
    return published
