"""The first floor: the statements alone, sent by PostgreSQL's own load generator."""

import os
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from deploy.bench.series import RunInvalid, Series

FIRST_SERIAL = 10_000_000
SERIALS_A_RUN = 500_000
_runs = count()


class Pgbench:
    """Runs scripts against one database."""

    def __init__(self, *, binaries: Path, database_url: str) -> None:
        self._program = binaries / "pgbench"
        url = urlsplit(database_url)
        self._database = url.path.removeprefix("/")
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "PGHOST": url.hostname or "127.0.0.1",
            "PGPORT": str(url.port or 5432),
            "PGUSER": url.username or "postgres",
            "PGPASSWORD": url.password or "",
        }

    def run(self, script: str, *, clients: int, seconds: float, warmup: float = 0) -> Series:
        """`clients` connections repeat `script` for `warmup` + `seconds`; the latter count.

        Raises:
            RunInvalid: pgbench failed or a client gave up.
        """
        with tempfile.TemporaryDirectory(prefix="bench-pgbench-") as folder:
            file = Path(folder) / "submit.sql"
            file.write_text(script)
            command = [self._program, "--no-vacuum", "--protocol=prepared", f"--file={file}", f"--client={clients}"]
            command += [f"--jobs={min(clients, os.cpu_count() or 1)}", f"--time={max(1, round(seconds + warmup))}"]
            command += [f"--define=kt_n={FIRST_SERIAL + next(_runs) * SERIALS_A_RUN}"]
            command += ["--log", f"--log-prefix={folder}/log", self._database]
            done = subprocess.run(
                [str(part) for part in command],
                env=self._environment,
                capture_output=True,
                text=True,
                timeout=seconds + warmup + 60,
                check=False,
            )
            if done.returncode or "aborted" in done.stderr:
                raise RunInvalid(f"pgbench failed:\n{done.stderr[-2000:]}")
            logs = [log.read_text() for log in Path(folder).glob("log.*")]
        log = "".join(logs)
        return Series(
            latencies=latencies(log, warmup=warmup),
            seconds=max(1, round(seconds + warmup)) - warmup,
            requests=len(log.splitlines()),
        )


def latencies(log: str, *, warmup: float = 0) -> list[float]:
    """Milliseconds a transaction, from pgbench's log: client, number, microseconds, script, and when it ended.

    Those that ended within `warmup` seconds of the first one's begin are left out.
    """
    ended = []
    for line in log.splitlines():
        _, _, taken, _, second, microsecond = line.split(" ")[:6]
        ended.append((int(taken), int(second) * 1_000_000 + int(microsecond)))
    begin = min((at - taken for taken, at in ended), default=0) + warmup * 1_000_000
    return [taken / 1000 for taken, at in ended if at >= begin]
