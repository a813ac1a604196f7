"""Django's view of the room."""

from django.apps import AppConfig


class MediaConfig(AppConfig):
    """The media room."""

    name = "media"
