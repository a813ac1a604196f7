"""The installation that is backed up or restored: by its own settings, or the local one on a data folder."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.config import Config
from psycopg.conninfo import conninfo_to_dict

from deploy.embedded import DataFolderInUse, EmbeddedServers
from deploy.embedded.credentials import load_or_generate
from deploy.embedded.postgres import DATABASE, Postgres
from deploy.offline import NOWHERE
from deploy.platform.programs import ROOT, machine

KEYS = {
    "SECRET_KEY": "secret_key",
    "API_KEY_PEPPER": "api_key_pepper",
    "NODE_MASTER_KEY": "node_master_key",
    "DATA_ENCRYPTION_KEYS": "data_encryption_key",
}
"""Without these the data are whole and nobody's key works: the setting, and its name in `secrets.json`."""


_LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
}


class CannotReach(RuntimeError):
    """Neither settings nor a data folder lead to an installation; the message says why."""


@dataclass(frozen=True)
class Installation:
    """Addresses and secrets as the control plane's settings."""

    environment: Mapping[str, str]
    data_dir: Path

    @property
    def database(self) -> str:
        return self.environment["DATABASE_URL"]

    def postgres(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs on its database; the password is on no command line."""
        binaries = Postgres(state_dir=self.data_dir, log_dir=self.data_dir, port=0, password="").binaries
        named = conninfo_to_dict(self.database)
        return subprocess.run(
            [str(binaries / program), "--no-password", f"--dbname={named['dbname']}", *arguments],
            env={**machine(), **{_LIBPQ[name]: str(value) for name, value in named.items() if name in _LIBPQ}},
            capture_output=True,
            text=True,
            check=False,
        )

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a management command on it; a service whose address is not known is reached nowhere."""
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env={**machine(), **NOWHERE, **self.environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def objects(self) -> Iterator[dict[str, object]]:
        """What lies in both buckets: names, sizes, ETags; not the bytes."""
        client = boto3.client(
            "s3",
            endpoint_url=self.environment["S3_ENDPOINT_URL"],
            region_name=self.environment.get("S3_REGION", "us-east-1"),
            aws_access_key_id=self.environment["S3_ACCESS_KEY"],
            aws_secret_access_key=self.environment["S3_SECRET_KEY"],
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        for setting, usual in (
            ("S3_PUBLIC_BUCKET", "killatamata-public"),
            ("S3_PRIVATE_BUCKET", "killatamata-private"),
        ):
            bucket = self.environment.get(setting, usual)
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for one in page.get("Contents", ()):
                    yield {"bucket": bucket, "key": one["Key"], "bytes": one["Size"], "etag": one["ETag"].strip('"')}


@contextmanager
def installation(data_dir: Path, *, may_run: bool) -> Iterator[Installation]:
    """The one that the environment names, else the local one: as it runs if it `may_run`, or started for this.

    Raises:
        CannotReach: the local one runs and may not, or its database cannot be found.
    """
    if os.environ.get("DATABASE_URL"):
        yield Installation(dict(os.environ), data_dir)
        return
    with ExitStack() as stack:
        try:
            servers = stack.enter_context(EmbeddedServers(data_dir, port_choice="any"))
        except DataFolderInUse:
            if not may_run:
                raise CannotReach(f"the platform on {data_dir} runs; stop it first (`make down`)") from None
            yield Installation(_running(data_dir), data_dir)
            return
        yield Installation(servers.environment(), data_dir)


def _running(data_dir: Path) -> dict[str, str]:
    """The settings of a local installation whose servers somebody else started."""
    secrets = load_or_generate(data_dir / "secrets.json")
    try:
        port = int((data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[3])
    except (OSError, IndexError, ValueError):
        raise CannotReach(f"the platform on {data_dir} is starting or stopping; try again") from None
    return {
        **{setting: secrets[name] for setting, name in KEYS.items()},
        "DATABASE_URL": f"postgres://postgres:{secrets['postgres_password']}@127.0.0.1:{port}/{DATABASE}",
    }
