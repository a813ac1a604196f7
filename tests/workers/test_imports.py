"""A node needs requirements/worker.txt and nothing else: everything besides is made unimportable in a fresh process."""

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTROL = {"core", "accounts", "billing", "media", "gateway", "deploy", "tests"}

BLOCKER = """
import sys
blocked = set(sys.argv[1].split(","))
tried = []

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            tried.append(name)
            raise ModuleNotFoundError(f"No module named {name!r} on a node", name=name)

sys.meta_path.insert(0, Blocker())
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def not_on_a_node(requirements: str) -> set[str]:
    """Top-level modules of this environment that these pinned requirements do not bring, and the control packages."""
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==", (ROOT / requirements).read_text(), re.MULTILINE)
    brought = {normal(name) for name in pinned}
    modules = packages_distributions()
    return CONTROL | {module for module, names in modules.items() if not brought & {normal(name) for name in names}}


def run(code: str, blocked: set[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCKER + code, ",".join(sorted(blocked))],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_node_is_built_from_its_own_requirements_alone() -> None:
    blocked = not_on_a_node("requirements/worker.txt")
    assert {"django", "rest_framework", "psycopg", "boto3", "structlog", "numpy", "PIL", "av"} <= blocked
    assert not {"celery", "kombu", "redis", "httpcore", "pydantic", "psutil"} & blocked
    ended = run(
        "import workers, workers.__main__, workers.app, workers.runtime\n"
        "from workers.pipelines import registry\n"
        "print(registry.pipeline('diagnostic.noop').engine)\n",
        blocked,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "noop\n", "")


@pytest.mark.parametrize(
    ("requirements", "found"),
    [("requirements/worker-cpu.txt", "True\n"), ("requirements/worker.txt", "engine_missing\n")],
)
@pytest.mark.parametrize("task", ["image.generate", "video.combine", "video.resize"])
def test_an_engine_is_built_from_its_requirements_and_said_to_be_missing_without(
    task: str, requirements: str, found: str
) -> None:
    ended = run(
        "from workers.pipelines import registry\n"
        "from workers.pipelines.base import EngineFailed\n"
        "try:\n"
        f"    print(bool(registry.pipeline('{task}').engine))\n"
        "except EngineFailed as error:\n"
        "    print(error.code)\n",
        not_on_a_node(requirements),
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, found, "")


def test_the_protocol_needs_the_standard_library_and_pydantic() -> None:
    blocked = not_on_a_node("requirements/worker.txt") | {"celery", "kombu", "redis", "httpcore", "psutil", "billiard"}
    ended = run(
        "import importlib, pkgutil\n"
        "from workers import protocol\n"
        "names = [one.name for one in pkgutil.walk_packages(protocol.__path__, 'workers.protocol.')]\n"
        "for name in names: importlib.import_module(name)\n"
        "print(len(names) >= 13, tried)\n",
        blocked,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True []\n", "")


def test_the_blocker_blocks() -> None:
    ended = run("import media.models", CONTROL)
    assert ended.returncode == 1
    assert "No module named 'media' on a node" in ended.stderr
