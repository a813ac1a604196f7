"""`python -m deploy.rotate NAME …`: draw secrets of a stopped local installation anew.

Keys, sessions, nodes and stored secrets stay good under what these secrets were before, until the same command with
`--finish`. An installation with its own settings does the same by its environment (docs/how-to/rotate-keys.md).
"""

import argparse
import sys
from pathlib import Path

from deploy.embedded import DataFolderInUse, EmbeddedServers
from deploy.embedded.credentials import ROTATABLE, NotRotatable


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 with the reason on stderr."""
    parser = argparse.ArgumentParser(prog="python -m deploy.rotate", description="Draw secrets anew.")
    parser.add_argument("names", nargs="+", metavar="NAME", help=", ".join(ROTATABLE))
    parser.add_argument("--data", type=Path, default=Path("var"), help="the data folder")
    parser.add_argument("--finish", action="store_true", help="what the secrets were before is good no more")
    asked = parser.parse_args(arguments)
    try:
        EmbeddedServers(asked.data).rotate(asked.names, finish=asked.finish)
    except (DataFolderInUse, NotRotatable) as error:
        print(error, file=sys.stderr)
        return 1
    done = "are good no more" if asked.finish else "are drawn anew; the old ones stay good where they can"
    print(f"{', '.join(asked.names)}: {done}. `make up` uses them.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
