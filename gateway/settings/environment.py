"""Reading settings from the environment, with clear errors instead of surprises at run time."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]


def text(name: str, default: str | None = None) -> str:
    """A required (no default) or optional text."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(
            f"{name} is not set; `make up` sets it, production must (see docs/how-to/production.md)"
        )
    return value


def flag(name: str, default: bool) -> bool:
    """1/true/yes/on or 0/false/no/off."""
    value = os.environ.get(name)
    if value is None or not value.strip():
        return default
    lowered = value.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false")


def integer(name: str, default: int) -> int:
    """A whole number."""
    value = os.environ.get(name)
    if value is None or not value.strip():
        return default
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number") from None


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def site(name: str, default: str) -> str:
    """The address of a site: scheme and host, perhaps a path; a slash at its end makes no difference."""
    value = (os.environ.get(name) or default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ImproperlyConfigured(f"{name}={value!r} is not an address like https://example.com")
    return value


def required_words(name: str) -> list[str]:
    """A comma-separated list that must not be empty."""
    found = words(name)
    if not found:
        raise ImproperlyConfigured(f"{name} is not set; `make up` sets it, production must")
    return found


def hosts_of(*urls: str) -> list[str]:
    """The host names in URLs, each once."""
    return sorted({host for url in urls if (host := urlsplit(url).hostname)})


def addresses_of(*urls: str) -> list[str]:
    """host:port of http(s) URLs, the scheme's own port where none is written."""
    found = []
    for url in urls:
        parts = urlsplit(url)
        if parts.hostname:
            host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
            found.append(f"{host}:{parts.port or (443 if parts.scheme == 'https' else 80)}")
    return found
