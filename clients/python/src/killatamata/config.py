"""Keys that `login` saved: one file, for its owner's eyes only, one key for each server."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from killatamata.errors import KillaTamataError, UsageError

DEFAULT_BASE_URL = "http://127.0.0.1:8000"
"""Where a platform of one's own answers."""
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
"""What is said to these never leaves the machine, not even to a proxy."""


@dataclass(frozen=True)
class SavedKey:
    """One server's key."""

    api_key: str = field(repr=False)
    key_prefix: str = ""
    label: str = ""
    email: str = ""


def base_url_of(text: str) -> str:
    """A server's address in its one spelling: no slash at the end, host in small letters.

    Raises:
        UsageError: it is not an http(s) address.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or parts.query or parts.fragment or "@" in parts.netloc:
        raise UsageError(f"{text!r} is not the address of a server, such as https://api.example.com")
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def in_the_clear(base_url: str) -> bool:
    """Whether a key on its way to this server could be read by the network between."""
    parts = urlsplit(base_url)
    return parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS


def config_path() -> Path:
    """Where the file lies, whether it exists or not."""
    root = os.environ.get("XDG_CONFIG_HOME")
    return (Path(root) if root else Path.home() / ".config") / "killatamata" / "config.json"


class Config:
    """The file. Each change reads it anew and puts a whole new one in its place."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or config_path()

    def default_base_url(self) -> str | None:
        """The server that was signed in to last."""
        found = self._read().get("default")
        return found if isinstance(found, str) and found else None

    def get(self, base_url: str) -> SavedKey | None:
        """The key saved for this server and no other."""
        servers = self._read().get("servers")
        entry = servers.get(base_url) if isinstance(servers, dict) else None
        if not isinstance(entry, dict) or not isinstance(entry.get("apiKey"), str):
            return None
        texts = {name: str(entry.get(name) or "") for name in ("keyPrefix", "label", "email")}
        return SavedKey(entry["apiKey"], texts["keyPrefix"], texts["label"], texts["email"])

    def save(self, base_url: str, key: SavedKey) -> None:
        """Keep a key for this server, and make this server the default."""
        document = self._read()
        servers = document.get("servers") if isinstance(document.get("servers"), dict) else {}
        entry = {"apiKey": key.api_key, "keyPrefix": key.key_prefix, "label": key.label, "email": key.email}
        self._write({**document, "default": base_url, "servers": {**(servers or {}), base_url: entry}})

    def forget(self, base_url: str) -> bool:
        """Drop this server's key; whether there was one."""
        document = self._read()
        servers = document.get("servers")
        if not isinstance(servers, dict) or base_url not in servers:
            return False
        servers = {url: entry for url, entry in servers.items() if url != base_url}
        document = {**document, "servers": servers}
        if document.get("default") == base_url:
            del document["default"]
        self._write(document)
        return True

    def _read(self) -> dict[str, Any]:
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise KillaTamataError(f"{self.path} cannot be read: {type(error).__name__}. Mend or remove it.") from None
        if not isinstance(document, dict):
            raise KillaTamataError(f"{self.path} does not hold a JSON object. Mend or remove it.")
        return document

    def _write(self, document: dict[str, Any]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        # 0600 from its first moment: a key must at no time lie open.
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(json.dumps(document, indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
