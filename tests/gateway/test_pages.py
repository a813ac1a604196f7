"""Browser middleware works on pages and stays out of the way of machines."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_admins_sign_in_has_its_token_and_may_not_be_framed() -> None:
    answer = Client().get("/admin/login/")
    assert answer.status_code == 200
    assert "csrftoken" in answer.cookies
    assert answer["X-Frame-Options"] == "DENY"


def test_a_form_without_its_token_is_refused() -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "a", "password": "b"})
    assert answer.status_code == 403


def test_a_machines_answer_carries_no_cookie_and_its_length() -> None:
    answer = Client().get("/api/v1/health")
    assert answer.status_code == 200
    assert not answer.cookies
    assert answer["Content-Length"] == str(len(answer.content))
