"""A whole platform and one Chromium for all tests of this folder; neither outlives it."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from deploy.platform import Platform
from deploy.platform.programs import ROOT, machine
from tests.browser.chromium import running_chromium
from tests.browser.visitor import LOOKS, Look, Visitor

PICTURES = ROOT / "var" / "browser"
_outcome = pytest.StashKey[pytest.TestReport]()
_addresses = count(1)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with the folder, not with the run: Django does not query while it is there."""
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def platform(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The processes of `make up` that pages need; each visitor's address is what the proxy says."""
    folder: Path = tmp_path_factory.mktemp("browser")
    folder.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(machine()):
            patch.delenv(name)  # the tests' servers: this platform has its own
        running = Platform(
            folder / "data",
            env_overrides={"TRUSTED_PROXIES": "127.0.0.1"},
            programs=("mail", "sandboxes", "web", "steward"),
            web_workers=1,
            port_choice="any",
            say=lambda _: None,
        )
        with running:
            yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Iterator[None]:  # what it returns is pytest's
    report = yield
    if call.when == "call":
        item.stash[_outcome] = report  # type: ignore[assignment]
    return report


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(platform: Platform, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Makes visitors. One whose browser complained fails the test; of a failed test each leaves a picture in var/."""
    visitors: list[Visitor] = []

    def arrive(look: Look = LOOKS[0]) -> Visitor:
        visitor = Visitor(platform, browser, address=f"203.0.113.{next(_addresses)}", look=look)
        visitors.append(visitor)
        return visitor

    with ExitStack() as stack:
        yield arrive
        for visitor in visitors:
            stack.callback(visitor.context.close)
        outcome = request.node.stash.get(_outcome, None)
        complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
        if complaints or outcome is None or outcome.failed:
            for number, visitor in enumerate(visitors, start=1):
                picture(visitor, f"failed-{request.node.name}-{number}")
        assert complaints == []


@pytest.fixture
def visitor(visit: Visit) -> Visitor:
    """Somebody at a wide, light window."""
    return visit()


def picture(visitor: Visitor, name: str, *, whole: bool = True) -> Path:
    """Take a picture of the page, or of what the window shows of it, into var/browser."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    file = PICTURES / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}.png"
    visitor.page.screenshot(path=file, full_page=whole)
    return file
