"""A person with a browser: signs in, reads the mail, and notices what the browser complains of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, Page, expect

from deploy.platform import Platform
from tests.browser.chromium import PATIENCE_MS

WIDE = (1280, 900)
NARROW = (360, 740)
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Look:
    """How large the window is, and whether its owner likes it dark."""

    name: str
    size: tuple[int, int]
    scheme: str


LOOKS = [
    Look(f"{width}-{scheme}", size, scheme)
    for width, size in {"wide": WIDE, "narrow": NARROW}.items()
    for scheme in SCHEMES
]


class Visitor:
    """One browser context, with cookies and an address of its own.

    `complaints` collects what the browser reports: errors of scripts and policies, requests that failed, answers from
    400 on. A test that provokes one takes it out with `excuse`.
    """

    def __init__(self, platform: Platform, browser: Browser, *, address: str, look: Look = LOOKS[0]) -> None:
        self.platform = platform
        self.site = platform.environment["SITE_URL"]
        width, height = look.size
        self.context = browser.new_context(
            base_url=self.site,
            viewport={"width": width, "height": height},
            color_scheme=look.scheme,  # type: ignore[arg-type]
            extra_http_headers={"X-Forwarded-For": address},
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("console", self._hear)
        self.page.on("response", self._see)
        self.page.on("requestfailed", self._miss)

    def _hear(self, message: Any) -> None:
        # Chromium repeats each refused answer in the console: `_see` has it already.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.complaints.append(f"console: {message.text}")

    def _see(self, response: Any) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {urlsplit(response.url).path}")

    def _miss(self, request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before its picture had come
            self.complaints.append(f"{request.failure}: {request.url}")

    def excuse(self, *expected: str) -> None:
        """These complaints, and no others, were made until now; they are what was to be."""
        assert self.complaints == list(expected)
        self.complaints.clear()

    @property
    def path(self) -> str:
        """Where the browser is."""
        return urlsplit(self.page.url).path

    def sign_in(self, email: str) -> None:
        """Through the pages, with the code that is mailed."""
        if self.path != "/sign-in":
            self.page.goto("/sign-in")
        seen = self._last_mail()
        self.page.get_by_label("Email address").fill(email)
        self.page.get_by_role("button", name="Mail me a code").click()
        expect(self.page).to_have_title("Enter the code · Killa Tamata")
        self.page.get_by_label("Code").fill(self.code_for(email, after=seen))
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: not urlsplit(url).path.startswith("/sign-in"))

    def code_for(self, email: str, *, after: int) -> str:
        """The code mailed to `email` after the mail of that number."""
        while True:
            messages = self._mails(after, wait=20)
            assert messages, f"no mail came to {email}"
            for message in messages:
                if message["recipients"] == [email] and message["code_line"]:
                    [code] = re.findall(r"(?<!\d)\d{6}(?!\d)", message["code_line"])
                    return str(code)
            after = messages[-1]["number"]

    def _last_mail(self) -> int:
        return max((message["number"] for message in self._mails(0, wait=0)), default=0)

    def _mails(self, after: int, *, wait: int) -> Sequence[dict[str, Any]]:
        answer = httpx.get(f"{self.platform.mail}/messages.json", params={"after": after, "wait": wait}, timeout=30)
        found: list[dict[str, Any]] = answer.raise_for_status().json()["messages"]
        return found

    def fits(self) -> None:
        """Nothing of the page is cut off at the side, and nobody has to scroll there."""
        widths = self.page.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert widths[0] <= widths[1], f"{self.path} is {widths[0]} wide in a window of {widths[1]}"
