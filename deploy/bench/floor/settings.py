"""The least that Django runs with. The database settings are the platform's own; nothing else is."""

from gateway.settings import ALLOWED_HOSTS, DATABASES, SECRET_KEY, TIME_ZONE, USE_TZ

__all__ = ["ALLOWED_HOSTS", "DATABASES", "SECRET_KEY", "TIME_ZONE", "USE_TZ"]

ROOT_URLCONF = "deploy.bench.floor.views"
INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
LOGGING_CONFIG = None
