"""The command as somebody new meets it: installed into a fresh environment, against the whole platform."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image

from deploy.platform import Platform
from deploy.platform.programs import ROOT, machine

PACKAGE = ROOT / "clients" / "python"
FROM_SOURCES = "from killatamata.cli import main; sys.exit(main())"
NO_PACKAGES = ("No matching distribution found", "Failed to establish a new connection")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[tuple[str, ...]]]:
    """The command, once pip has installed it where nothing of the platform is; from its sources where pip has no
    packages to take."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"

    def install() -> tuple[str, ...]:
        # Without a pip of its own, which takes longer than all the rest: ours installs into it.
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "install", "--no-compile", PACKAGE]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if any(sign in done.stderr for sign in NO_PACKAGES):
            return sys.executable, "-c", f"import sys; sys.path.insert(0, {str(PACKAGE / 'src')!r}); {FROM_SOURCES}"
        assert done.returncode == 0, done.stderr
        return (str(folder / "bin" / "killatamata"),)

    with ThreadPoolExecutor(1) as beside:
        yield beside.submit(install)


@pytest.fixture(scope="module")
def platform(installed: Future[tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The whole platform, of its own, started while pip works."""
    data = tmp_path_factory.mktemp("platform")
    for folder in (data, *data.parents[:2]):
        folder.chmod(0o711)  # as root, PostgreSQL runs as nobody and must find its data
    platform = Platform(
        data,
        programs=("web", "steward", "media-worker"),
        web_workers=1,
        worker_concurrency=1,
        port_choice="any",
        say=lambda sentence: None,
    )
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(machine()):  # not the servers of the other tests
            patch.delenv(name)
        platform.servers._env = dict(os.environ)
        platform.start()
    yield platform
    platform.stop()
    platform.servers.wipe()


@dataclass(frozen=True)
class Shell:
    """A terminal of somebody's, in an empty folder."""

    command: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self.command, *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> str:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, out + err
        return out


@pytest.mark.soak
def test_from_nothing_to_a_file(platform: Platform, installed: Future[tuple[str, ...]], tmp_path: Path) -> None:
    environment = {**machine(), "XDG_CONFIG_HOME": str(tmp_path / "config"), "COLUMNS": "200"}
    shell = Shell(installed.result(), tmp_path, environment)

    login = shell.start("--base-url", platform.api_base, "login", "--no-browser", "--json", "--label", "fresh")
    assert login.stdout is not None
    link = json.loads(login.stdout.readline())
    approved = httpx.post(
        f"{platform.api_base}/api/v1/device/link/approve",
        json={"userCode": link["userCode"]},
        headers={"Authorization": f"Bearer {platform.api_key}"},
        trust_env=False,
    )
    assert approved.status_code == 200, approved.text
    out, err = login.communicate(timeout=30)
    linked = json.loads(out)
    assert (login.returncode, err, linked["label"], linked["status"]) == (0, "", "fresh", "approved")
    config = tmp_path / "config" / "killatamata" / "config.json"
    key = json.loads(config.read_text())["servers"][platform.api_base]["apiKey"]
    assert key.startswith(linked["keyPrefix"])
    assert key not in out

    balance = json.loads(shell.run("balance", "--json"))
    assert balance["usdHeldMicros"] == 0
    price = json.loads(shell.run("estimate", "image", "x", "--width", "256", "--height", "192", "--json"))
    made = shell.run(
        "generate", "image", "a red barn under a pale moon", "-o", "out.webp", "--width", "256", "--height", "192"
    )
    assert made == "out.webp\n"
    with Image.open(tmp_path / "out.webp") as image:
        image.load()
        assert (image.format, image.size) == ("WEBP", (256, 192))
    after = json.loads(shell.run("balance", "--json"))
    spent = balance["usdBalanceMicros"] - after["usdBalanceMicros"]
    assert (spent, after["usdHeldMicros"]) == (price["usdChargedMicros"], 0)

    (job,) = json.loads(shell.run("jobs", "list", "--json"))
    shown = shell.run("jobs", "show", job["externalJobId"])
    assert "completed" in shown
    assert job["outputUrl"] in shown
    assert {path.name for path in tmp_path.iterdir()} == {"config", "out.webp"}
    assert shell.run("logout", "--revoke").endswith("forgotten and revoked.\n")
    assert shell.start("balance").wait(30) == 1
