"""Passwords and keys of one installation, generated once into `secrets.json` (0600) and reused ever after."""

import base64
import json
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.embedded.sandboxes import settings as sandboxes


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


GENERATORS: dict[str, Callable[[], str]] = {
    "postgres_password": lambda: secrets.token_urlsafe(24),
    "valkey_control_password": lambda: secrets.token_urlsafe(24),
    "valkey_worker_password": lambda: secrets.token_urlsafe(24),
    "s3_access_key": lambda: "KT" + secrets.token_hex(9).upper(),
    "s3_secret_key": lambda: secrets.token_urlsafe(30),
    "flower_password": lambda: secrets.token_urlsafe(18),
    "admin_password": lambda: secrets.token_urlsafe(18),
    "secret_key": lambda: secrets.token_urlsafe(50),
    "api_key_pepper": lambda: secrets.token_urlsafe(32),
    "node_master_key": lambda: secrets.token_urlsafe(32),
    "data_encryption_key": _fernet_key,
    "sandbox_stripe_key": sandboxes.stripe_key,
    "sandbox_stripe_webhook_secret": sandboxes.stripe_webhook_secret,
    "sandbox_coinbase_key": sandboxes.coinbase_key,
    "sandbox_coinbase_webhook_secret": sandboxes.coinbase_key,
    "sandbox_x402_pay_to": sandboxes.address,
}


def load_or_generate(path: Path) -> dict[str, str]:
    """The installation's secrets; a name that a newer version added is generated beside the old ones."""
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = {name: make() for name, make in GENERATORS.items() if name not in known}
    if missing:
        known |= missing
        write_private(path, json.dumps(known, indent=2) + "\n")
    return known


PREVIOUS = "_previous"
"""After a secret's name: the values it had before, newest first, separated by commas."""
ROTATABLE = {
    "secret_key": True,
    "api_key_pepper": True,
    "node_master_key": True,
    "data_encryption_key": True,
    "s3_access_key": False,
    "s3_secret_key": False,
    "valkey_control_password": False,
    "valkey_worker_password": False,
}
"""What can be drawn anew, and whether what it was before stays good until `forget_previous`."""


class NotRotatable(ValueError):
    """There is no such secret, or nothing but its own server could change it."""


def rotate(path: Path, names: Sequence[str]) -> None:
    """Draw these secrets of an installation anew; the next start uses them.

    Raises:
        NotRotatable: one of them cannot be; nothing changed.
    """
    _require_rotatable(names)
    known = load_or_generate(path)
    for name in names:
        if ROTATABLE[name]:
            known[name + PREVIOUS] = ",".join(filter(None, (known[name], known.get(name + PREVIOUS))))
        known[name] = GENERATORS[name]()
    write_private(path, json.dumps(known, indent=2) + "\n")


def forget_previous(path: Path, names: Sequence[str]) -> None:
    """Let what these secrets were before be good no more.

    Raises:
        NotRotatable: one of them cannot be rotated; nothing changed.
    """
    _require_rotatable(names)
    known = load_or_generate(path)
    for name in names:
        known.pop(name + PREVIOUS, None)
    write_private(path, json.dumps(known, indent=2) + "\n")


def _require_rotatable(names: Sequence[str]) -> None:
    wrong = sorted(set(names) - set(ROTATABLE))
    if wrong:
        raise NotRotatable(f"{', '.join(wrong)} cannot be rotated; these can: {', '.join(ROTATABLE)}")


def write_private(path: Path, content: str, *, uid: int | None = None) -> None:
    """Replace a file by one that only its owner may read, never half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        if uid is not None:
            os.fchown(handle, uid, uid)
        file.write(content)
        file.flush()
        os.fsync(handle)
    new.replace(path)
