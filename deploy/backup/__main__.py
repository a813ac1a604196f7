"""`python -m deploy.backup create FILE`, `restore FILE` and `audit`."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from deploy.backup import archive
from deploy.backup.create import BackupFailed, create
from deploy.backup.installation import KEYS, CannotReach, installation
from deploy.backup.restore import RestoreFailed, RestoreRefused, restore
from deploy.embedded.credentials import PREVIOUS, load_or_generate, write_private


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m deploy.backup", description="Back up and restore.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("create", "restore"):
        command = commands.add_parser(name)
        command.add_argument("file", type=Path)
        command.add_argument("--data", type=Path, default=Path("var"), help="the local installation's data folder")
    commands.choices["create"].add_argument(
        "--with-secrets", action="store_true", help="also the keys without which no customer's key works"
    )
    commands.choices["restore"].add_argument("--replace", action="store_true", help="drop what the database holds")
    audit = commands.add_parser("audit")
    audit.add_argument("--data", type=Path, default=Path("var"), help="the local installation's data folder")
    audit.add_argument("--providers", action="store_true", help="also ask the payment providers")
    asked = parser.parse_args(arguments)
    try:
        if asked.command == "audit":
            with installation(asked.data, may_run=True) as audited:
                done = audited.manage("audit", *(["--providers"] if asked.providers else []))
            print(done.stdout, end="")
            print(done.stderr, end="", file=sys.stderr)
            return done.returncode
        if asked.command == "create":
            with installation(asked.data, may_run=True) as source:
                made = create(source, asked.file.absolute(), with_secrets=asked.with_secrets)
            print(f"{asked.file}: {len(made['migrations'])} migrations, PostgreSQL {made['postgresql']}.")
            listed = "S3_ENDPOINT_URL" in source.environment
            print(
                "The buckets are listed, not copied." if listed else "The buckets of a running platform are not listed."
            )
        else:
            _take_secrets(asked.file, asked.data)
            with installation(asked.data, may_run=False) as target:
                made = restore(target, asked.file.absolute(), replace=asked.replace, say=print)
            print(f"Restored what was backed up at {made['createdAt']}; the audit is clean.")
    except (CannotReach, BackupFailed, RestoreRefused, RestoreFailed, archive.Damaged) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _take_secrets(file: Path, data_dir: Path) -> None:
    """A local installation that has no keys yet takes the backup's; its servers' passwords stay its own.

    Raises:
        Damaged: the file is not whole.
    """
    path = data_dir / "secrets.json"
    if path.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        archive.read(file.absolute(), Path(folder))
        if not (Path(folder) / archive.SECRETS).exists():
            return
        kept: dict[str, str] = json.loads((Path(folder) / archive.SECRETS).read_text())
    known = load_or_generate(path)
    for setting, name in KEYS.items():
        newest, _, older = kept.get(setting, "").partition(",")
        known[name] = newest or known[name]
        previous = older or kept.get(f"{setting}_FALLBACKS", "")
        if previous:
            known[name + PREVIOUS] = previous
    write_private(path, json.dumps(known, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
