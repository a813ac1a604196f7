"""Make a backup of an installation, running or not."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from deploy.backup import archive
from deploy.backup.installation import KEYS, Installation


class BackupFailed(RuntimeError):
    """The backup could not be made; there is no file. The message says why."""


def create(source: Installation, target: Path, *, with_secrets: bool) -> dict[str, Any]:
    """Dump the database as it is at one moment, list the buckets, and write both to `target`; the manifest.

    Raises:
        BackupFailed: see there.
    """
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        dump = Path(folder) / archive.DUMP
        done = source.postgres("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}")
        if done.returncode:
            raise BackupFailed(f"pg_dump: {done.stderr.strip()}")
        members = [dump]
        if "S3_ENDPOINT_URL" in source.environment:
            listing = Path(folder) / archive.OBJECTS
            with listing.open("w") as file:
                for one in source.objects():
                    file.write(json.dumps(one) + "\n")
            members.append(listing)
        if with_secrets:
            secrets = Path(folder) / archive.SECRETS
            secrets.write_text(json.dumps(_secrets(source), indent=2))
            members.append(secrets)
        manifest = {"createdAt": datetime.now(UTC).isoformat(timespec="seconds"), **_facts(source)}
        archive.write(target, manifest, members)
        return manifest


def fingerprints(environment: Mapping[str, str]) -> dict[str, str]:
    """What tells whether an installation has the keys that a backup was made under, and tells nothing else."""
    return {
        name: hashlib.sha256(f"backup\n{name}\n{environment[name].split(',')[0]}".encode()).hexdigest()[:16]
        for name in KEYS
        if environment.get(name)
    }


def _secrets(source: Installation) -> dict[str, str]:
    wanted = [*KEYS, "SECRET_KEY_FALLBACKS", "API_KEY_PEPPER_FALLBACKS", "NODE_MASTER_KEY_FALLBACKS"]
    return {name: source.environment[name] for name in wanted if source.environment.get(name)}


def _facts(source: Installation) -> dict[str, Any]:
    with psycopg.connect(source.database) as connection:
        migrations = connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()
        [version] = connection.execute("SHOW server_version").fetchone() or [""]
    return {
        "postgresql": version,
        "migrations": [f"{app}.{name}" for app, name in migrations],
        "keys": fingerprints(source.environment),
    }
