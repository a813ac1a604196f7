"""The load generator as a process of its own, so that its one thread never waits for ours."""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from deploy.bench.client import drive
from deploy.bench.series import RunInvalid, Series

ROOT = Path(__file__).resolve().parents[2]


class Load:
    """A run under way. `start` it, do something else meanwhile if you like, `finish` it."""

    def __init__(self, port: int, streams: Sequence[Sequence[bytes]], *, seconds: float, warmup: float = 0.5) -> None:
        packed = [[base64.b64encode(message).decode() for message in stream] for stream in streams]
        self._plan = json.dumps({"port": port, "streams": packed, "seconds": seconds, "warmup": warmup})
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> "Load":
        self._process = subprocess.Popen(
            [sys.executable, "-m", "deploy.bench.load"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._plan)
        self._process.stdin.close()
        self._process.stdin = None  # or communicate() would flush what is closed
        return self

    def finish(self) -> Series:
        """Wait for its end.

        Raises:
            RunInvalid: an answer was not a 2xx, or nothing was measured.
        """
        assert self._process is not None
        try:
            printed, complaints = self._process.communicate(timeout=self._seconds + 120)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise RunInvalid("the load generator did not end") from None
        if self._process.returncode:
            raise RunInvalid(complaints.strip().splitlines()[-1] if complaints.strip() else "the generator failed")
        told = json.loads(printed)
        return Series(
            latencies=told["latencies"],
            seconds=self._seconds,
            generator_cpu_seconds=told["cpu_seconds"],
            requests=told["requests"],
        )


def run(port: int, streams: Sequence[Sequence[bytes]], *, seconds: float) -> Series:
    """Start and finish one."""
    return Load(port, streams, seconds=seconds).start().finish()


def main() -> int:
    plan = json.load(sys.stdin)
    streams = [[base64.b64decode(message) for message in stream] for stream in plan["streams"]]
    before = time.process_time()
    try:
        outcome = drive(plan["port"], streams, seconds=plan["seconds"], warmup=plan["warmup"])
    except (RunInvalid, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    spent = time.process_time() - before
    json.dump({"latencies": outcome.latencies, "cpu_seconds": spent, "requests": outcome.requests}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
