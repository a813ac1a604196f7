"""What our OpenAPI document allows, and what it does not, sent to every route: only documented answers come back."""

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.discovery.routes import Route, api_routes
from tests.media.customers import new_customer
from tests.media.standin import StandIn

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("PUBLISHED_API_EXAMPLES", "12"))
"""Of what is allowed, and as many of what is not, for each route."""
CHECKS = [
    not_a_server_error,
    negative_data_rejection,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


@pytest.fixture
def published(node: StandIn, settings: Any, issuer: Any) -> Iterator[Any]:
    """The document as a client reads it, from the application itself; its requests share the test's transaction."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 10**9)
    settings.EMAIL_HOST = "127.0.0.1"
    for provider in ("STRIPE", "COINBASE"):
        setattr(settings, f"{provider}_WEBHOOK_SECRETS", ["whsec_of_nobody"])
    settings.X402_FACILITATOR_URL, settings.X402_PAY_TO = "http://127.0.0.1:9", f"0x{'11' * 20}"
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # as Django's own test client does
    yield _published()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@cache
def _published() -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", get_wsgi_application())


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("route", api_routes(), ids=lambda route: f"{route.method} {route.path}")
def test_only_documented_answers_come_back(route: Route, mode: GenerationMode, published: Any) -> None:
    customer = new_customer()
    operation = published[route.path][route.method]
    if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
        pytest.skip("nothing of it can be wrong")

    @given(
        case=operation.as_strategy(generation_mode=mode), credential=st.sampled_from(["key", "key", "none", "wrong"])
    )
    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def ask(case: Any, credential: str) -> None:
        headers = {
            "key": {"Authorization": f"Bearer {customer.key}"},
            "none": {},
            "wrong": {"Authorization": f"Bearer {customer.key[:-1]}"},
        }[credential]
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)

    ask()
