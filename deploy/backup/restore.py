"""Put a backup into an empty database, bring it to this version, and audit it."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from deploy.backup import archive
from deploy.backup.create import fingerprints
from deploy.backup.installation import Installation


class RestoreRefused(RuntimeError):
    """There are data already; nothing was touched."""


class RestoreFailed(RuntimeError):
    """The backup could not be put in place, or what is there now fails its audit; the message says which."""


def restore(target: Installation, source: Path, *, replace: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """Restore the database, migrate it, audit it; the backup's manifest.

    Tables are filled before their triggers and constraints are made, so that the guards stand afterwards as they did
    before. `replace` drops what the database holds.

    Raises:
        Damaged: the file is not whole; nothing was touched.
        RestoreRefused, RestoreFailed: see there.
    """
    with tempfile.TemporaryDirectory(dir=source.parent, prefix=".restore-") as folder:
        manifest = archive.read(source, Path(folder))
        _make_empty(target.database, replace=replace)
        options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")
        done = target.postgres("pg_restore", *options, str(Path(folder) / archive.DUMP))
        if done.returncode:
            raise RestoreFailed(f"pg_restore: {done.stderr.strip()}")
    for name, kept in fingerprints(target.environment).items():
        if manifest["keys"].get(name, kept) != kept:
            say(f"Warning: {name} is not the one of the backup: what was made under that one is worthless here.")
    for command in ("migrate", "audit"):
        done = target.manage(command)
        if done.returncode:
            raise RestoreFailed(f"manage.py {command}: {done.stdout}{done.stderr}")
        say(done.stdout.strip())
    return manifest


def _make_empty(database: str, *, replace: bool) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        if found is not None and found[0] and not replace:
            raise RestoreRefused(f"the database has {found[0]} tables already; --replace drops them")
        if replace:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
