"""The backup's file: a tar whose first member, `manifest.json`, names the others with their lengths and hashes."""

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

FORMAT = 1
MANIFEST, DUMP, OBJECTS, SECRETS = "manifest.json", "database.dump", "objects.jsonl", "secrets.json"


class Damaged(ValueError):
    """The file is no backup of ours, or not what its manifest says; nothing was touched."""


def described(path: Path) -> dict[str, Any]:
    """A member's length and hash."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def write(target: Path, manifest: dict[str, Any], members: list[Path]) -> None:
    """Write the file, readable by its owner alone, and put it in place when it is whole."""
    manifest = {"format": FORMAT, **manifest, "members": {path.name: described(path) for path in members}}
    text = json.dumps(manifest, indent=2).encode()
    unfinished = target.with_name(f".{target.name}.new")
    unfinished.unlink(missing_ok=True)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            head = tarfile.TarInfo(MANIFEST)
            head.size = len(text)
            archive.addfile(head, io.BytesIO(text))
            for path in members:
                archive.add(path, arcname=path.name, filter=_plain)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(target)


def read(source: Path, folder: Path) -> dict[str, Any]:
    """Unpack the file into `folder` and hold each member to the manifest; the manifest.

    Raises:
        Damaged: see there.
    """
    try:
        with tarfile.open(source, mode="r:") as archive:
            names = archive.getnames()
            if not names or names[0] != MANIFEST or set(names) - {MANIFEST, DUMP, OBJECTS, SECRETS}:
                raise Damaged(f"{source} is no backup of this platform")
            archive.extractall(folder, filter="data")
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (tarfile.TarError, ValueError, OSError) as error:
        raise Damaged(f"{source} cannot be read: {error}") from error
    if manifest.get("format") != FORMAT:
        raise Damaged(f"{source} has format {manifest.get('format')}; this version reads {FORMAT}")
    for name, expected in manifest["members"].items():
        if not (folder / name).exists() or described(folder / name) != expected:
            raise Damaged(f"{name} in {source} is not what the manifest says")
    return manifest


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member
