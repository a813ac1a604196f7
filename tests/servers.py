"""The servers that the tests run on: real ones, their own, on free ports, with data in a temporary folder.

A server whose address the environment names (DATABASE_URL, REDIS_URL, S3_ENDPOINT_URL) is used instead of our own.
"""

import os
import shutil
import tempfile
from pathlib import Path

from deploy.embedded import DataFolderInUse, EmbeddedServers

PREFIX = "killatamata-tests-"


class TestServers:
    """Started before Django reads its settings, stopped when pytest ends."""

    __test__ = False  # a name for people, not for pytest's collection

    def __init__(self) -> None:
        sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self.folder.chmod(0o711)  # as root, PostgreSQL runs as nobody and must find its data
        self.servers = EmbeddedServers(self.folder, port_choice="any")

    def start(self) -> None:
        """Start them and put their addresses into the environment."""
        self.servers.start()
        os.environ.update(self.servers.environment())
        os.environ["DJANGO_SETTINGS_MODULE"] = "gateway.settings"
        os.environ.setdefault("RATE_LIMIT_SIGN_INS", "100000")  # every test comes from one address

    def stop(self) -> None:
        self.servers.stop()
        self.servers.wipe()
        shutil.rmtree(self.folder, ignore_errors=True)


def sweep() -> None:
    """Remove what killed runs left: folders of ours whose lock nobody holds."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if folder.stat().st_uid != os.getuid() or not (folder / "secrets.json").exists():
            continue
        left = EmbeddedServers(folder, port_choice="any")
        try:
            left.wipe()
        except DataFolderInUse:
            continue
        shutil.rmtree(folder, ignore_errors=True)
