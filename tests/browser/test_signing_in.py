"""Signing in and out, and connecting a program, by hand in a real browser on the whole platform."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from deploy.platform import Platform
from tests.browser.conftest import Visit, picture
from tests.browser.visitor import LOOKS, Look, Visitor

COOKIE = "killa_tamata_browser_session"


def start_link(platform: Platform, label: str) -> dict[str, Any]:
    """A program asks to be connected."""
    answer = httpx.post(f"{platform.api_base}/api/v1/device/link/start", json={"keyLabel": label})
    started: dict[str, Any] = answer.raise_for_status().json()
    return started


def poll(platform: Platform, started: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{platform.api_base}/api/v1/device/link/poll", json={"deviceCode": started["deviceCode"]})


def balance_status(platform: Platform, key: str) -> int:
    """What the API answers to the key."""
    return httpx.get(f"{platform.api_base}/api/v1/balance", headers={"Authorization": f"Bearer {key}"}).status_code


def connect(visitor: Visitor, label: str) -> str:
    """The signed-in visitor approves a program; the key that it gets."""
    started = start_link(visitor.platform, label)
    visitor.page.goto(f"/link?code={started['userCode']}")
    visitor.page.get_by_role("button", name="Approve").click()
    expect(visitor.page.get_by_role("heading", name="Approved")).to_be_visible()
    return str(poll(visitor.platform, started).raise_for_status().json()["apiKey"])


def key_row(page: Page, key: str) -> Any:
    """The key's line on the account page."""
    prefix = "_".join(key.split("_")[:3])
    return page.get_by_role("region", name="API keys").get_by_role("row").filter(has_text=prefix)


def test_a_mailed_code_signs_in_once_and_signing_out_ends_it(visitor: Visitor) -> None:
    page = visitor.page
    page.goto("/account")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/account$"))
    visitor.sign_in("ada@example.com")
    assert visitor.path == "/account"
    expect(page.get_by_text("Signed in as ada@example.com")).to_be_visible()
    expect(page.get_by_role("region", name="What happened").get_by_role("row").nth(1)).to_contain_text("Signed in")
    [cookie] = [one for one in visitor.context.cookies() if one["name"] == COOKIE]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert page.evaluate("document.cookie").find(COOKIE) == -1

    page.get_by_role("button", name="Sign out").click()
    assert visitor.path == "/sign-in"
    assert COOKIE not in {one["name"] for one in visitor.context.cookies()}
    page.goto("/account")
    assert visitor.path == "/sign-in"
    visitor.context.add_cookies([{"name": COOKIE, "value": cookie["value"], "url": visitor.site}])
    page.goto("/account")
    assert visitor.path == "/sign-in"


def test_a_wrong_code_opens_nothing_and_leaves_the_right_one_good(visitor: Visitor) -> None:
    page = visitor.page
    page.goto("/sign-in")
    page.get_by_label("Email address").fill("grace@example.com")
    page.get_by_role("button", name="Mail me a code").click()
    code = visitor.code_for("grace@example.com", after=0)
    page.get_by_label("Code").fill(f"{(int(code) + 1) % 10**6:06}")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    visitor.excuse("401 /sign-in/code")
    assert COOKIE not in {one["name"] for one in visitor.context.cookies()}
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Signed in as grace@example.com")).to_be_visible()


def test_a_program_is_approved_after_signing_in_and_its_key_is_revoked_on_the_account_page(
    visitor: Visitor, platform: Platform
) -> None:
    started = start_link(platform, "laptop of Joan")
    page = visitor.page
    page.goto(started["verificationUriComplete"])
    visitor.sign_in("joan@example.com")
    assert visitor.path == "/link"
    expect(page.get_by_text(started["userCode"])).to_be_visible()
    expect(page.get_by_text("laptop of Joan", exact=True)).to_be_visible()

    page.get_by_label("Name of the key").fill("Joan’s laptop")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Approved")).to_be_visible()
    page.get_by_role("link", name="See your keys").click()
    polled = poll(platform, started)
    assert polled.status_code == 200, polled.text
    key = polled.json()["apiKey"]
    assert balance_status(platform, key) == 200

    page.reload()
    other = connect(visitor, "another")
    page.goto("/account")
    row = key_row(page, key)
    expect(row).to_contain_text("Joan’s laptop")
    row.get_by_role("button", name="Revoke").click()
    expect(key_row(page, key)).to_contain_text("revoked")
    expect(key_row(page, key).get_by_role("button")).to_have_count(0)
    expect(key_row(page, other).get_by_role("button", name="Revoke")).to_be_visible()
    page.wait_for_timeout(1_000)  # what is promised: within a second, also where the key is remembered
    assert (balance_status(platform, key), balance_status(platform, other)) == (401, 200)


def test_a_program_that_is_denied_gets_no_key(visitor: Visitor, platform: Platform) -> None:
    visitor.sign_in("denise@example.com")
    started = start_link(platform, "stranger")
    visitor.page.goto("/link")
    visitor.page.get_by_label("Code").fill(started["userCode"].lower())
    visitor.page.get_by_role("button", name="Continue").click()
    visitor.page.get_by_role("button", name="Deny").click()
    expect(visitor.page.get_by_role("heading", name="Denied")).to_be_visible()
    refused = poll(platform, started)
    assert (refused.status_code, refused.json()["code"]) == (400, "access_denied")
    assert "apiKey" not in refused.text
    visitor.page.goto("/account")
    expect(visitor.page.get_by_text("You have no key yet.")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_every_page_fits_its_window_and_follows_the_scheme(visit: Visit, platform: Platform, look: Look) -> None:
    visitor = visit(look)
    page = visitor.page
    seen: list[str] = []

    def looked(name: str) -> None:
        seen.append(page.title())
        visitor.fits()
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == {"light": "rgb(245, 244, 240)", "dark": "rgb(16, 18, 28)"}[look.scheme]
        assert picture(visitor, f"{name}-{look.name}").stat().st_size > 1_000

    page.goto("/sign-in")
    looked("sign-in")
    email = f"a.rather.long.name.of.somebody.with.a.{look.name}.window@subdomain.example.com"
    page.get_by_label("Email address").fill(email)
    page.get_by_role("button", name="Mail me a code").click()
    looked("code")
    page.get_by_label("Code").fill(visitor.code_for(email, after=0))
    page.get_by_role("button", name="Sign in").click()
    connect(visitor, "a label that says where the key is, at some length, too")
    page.goto(f"/link?code={start_link(platform, 'laptop')['userCode']}")
    looked("link")
    page.goto("/account")
    looked("account")
    assert seen == [
        f"{title} · Killa Tamata" for title in ("Sign in", "Enter the code", "Connect a program", "Account")
    ]
