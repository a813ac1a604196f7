"""Django's view of the room."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """The billing room."""

    name = "billing"
