"""Money in templates."""

from django import template

from billing.micros import Micros
from billing.micros import usd as exact

register = template.Library()


@register.filter
def usd(amount: Micros) -> str:
    """Micros as exact US dollars."""
    return exact(amount)
