"""Session keys: signed in the cookie, hashed in the table."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from accounts.services.users import create_account
from accounts.sessions import SessionStore

pytestmark = pytest.mark.django_db
COOKIE = "killa_tamata_browser_session"


@pytest.fixture
def user() -> User:
    return create_account(email="somebody@example.com")


@pytest.fixture
def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def test_the_table_does_not_hold_the_cookie(browser: Client) -> None:
    cookie = browser.cookies[COOKIE].value
    [row] = Session.objects.all()
    assert len(cookie) == 64
    assert row.session_key != cookie
    assert cookie not in row.session_data
    assert SessionStore(cookie).load()["_auth_user_id"]
    assert SessionStore(row.session_key).load() == {}


def test_a_cookie_that_was_changed_is_nobodys_and_costs_no_query(browser: Client) -> None:
    cookie = browser.cookies[COOKIE].value
    for changed in (cookie[:-1] + "x", "x" + cookie[1:], cookie[:32], cookie.upper(), "é" * 64, cookie + "0"):
        with CaptureQueriesContext(connection) as asked:
            assert SessionStore(changed).session_key is None
        assert len(asked) == 0


def test_a_key_of_another_installation_is_refused(browser: Client, settings: Any) -> None:
    cookie = browser.cookies[COOKIE].value
    settings.SECRET_KEY = "another"
    assert SessionStore(cookie).session_key is None


def test_ending_one_session_leaves_the_others(browser: Client, user: User) -> None:
    other = Client()
    other.force_login(user)
    assert Session.objects.count() == 2
    SessionStore(browser.cookies[COOKIE].value).flush()
    assert Session.objects.count() == 1
    assert SessionStore(other.cookies[COOKIE].value).load()["_auth_user_id"] == str(user.pk)


def test_a_session_survives_a_save_and_a_cycle(user: User, browser: Client) -> None:
    store = SessionStore(browser.cookies[COOKIE].value)
    store["seen"] = True
    store.save()
    assert SessionStore(store.session_key).load()["seen"] is True
    before = store.session_key
    store.cycle_key()
    assert store.session_key != before
    assert SessionStore(before).load() == {}
    assert SessionStore(store.session_key).load()["seen"] is True
