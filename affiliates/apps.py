"""Django's view of the room."""

from django.apps import AppConfig


class AffiliatesConfig(AppConfig):
    """The affiliates room."""

    name = "affiliates"
