"""Everything one account has, asked for by another, on every route there is: nothing comes back and nothing changes."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.serializers.json import DjangoJSONEncoder
from django.test import Client

from accounts.models import ApiKey, DeviceLink, SecurityEvent, User
from accounts.services.device_links import start_link
from accounts.services.keys import mint_key
from accounts.services.security_events import Origin, record
from core import clock, ids
from core.operations import Scope
from core.webhooks.models import WebhookDelivery
from core.webhooks.secrets import current_secret
from core.webhooks.services import enqueue_test
from gateway.discovery.document import openapi_document
from gateway.discovery.routes import Route, api_routes
from media.models import Attempt, Job
from tests.media.customers import ESTIMATE, IMAGE, JOBS, Customer, error, new_customer
from tests.media.standin import PICTURE, StandIn

pytestmark = pytest.mark.django_db

MARK = "amaranthine"
"""In every text of A's own: seen in an answer to B, it has leaked."""
CALLBACK = f"http://127.0.0.1:9/{MARK}-callback"
LIMITED = {Scope.KEYS, Scope.MEDIA_READ, Scope.MEDIA_WRITE, Scope.BILLING_READ}


@pytest.fixture(autouse=True)
def _reachable(settings: Any) -> None:
    settings.HTTP_ALLOW_PLAIN = True
    settings.HTTP_ALLOWED_TARGETS = ["127.0.0.1:9"]


class Belongings:
    """One account with one of everything."""

    def __init__(self, node: StandIn) -> None:
        self.customer = new_customer()
        user = User.objects.get(pk=self.customer.id)
        user.email = f"{MARK}@example.com"
        user.save(update_fields=["email"])
        task_input = {"prompt": f"a {MARK} fox"}
        self.queued = self.customer.accepted(IMAGE, task_input, completionCallbackUrl=CALLBACK, idempotencyKey="one")
        done = self.customer.accepted(IMAGE, task_input, completionCallbackUrl=CALLBACK)
        run = node.take(done)
        signed = run.result()
        run.upload(PICTURE, signed)
        assert run.complete(signed).json() == {"outcome": "completed"}
        self.done = done
        self.output = self.customer.status(done)["outputUrl"]
        self.delivery = enqueue_test(account_id=user.pk, url=CALLBACK, now=clock.now())
        self.secret = current_secret(account_id=user.pk, now=clock.now()).secret
        child = mint_key(user=user, label=f"{MARK} key", now=clock.now(), monthly_spend_limit=7)
        self.child = child.key
        origin = Origin(address="198.51.100.7", user_agent=MARK)
        self.event = record(account_id=user.pk, kind=SecurityEvent.SIGNED_IN, origin=origin, now=clock.now())
        link = start_link(label=f"{MARK} laptop", origin=origin, now=clock.now())
        DeviceLink.objects.filter(pk=link.link.pk).update(status="approved", approved_by=user, requested_from=None)
        self.link = link.link
        quote = self.customer.post(ESTIMATE, {"task": IMAGE, "input": task_input})
        self.quote = quote.json()["quoteId"]

    @property
    def ids(self) -> list[str]:
        """Every name by which A's things can be asked for, in every form that some field takes."""
        attempt = Attempt.objects.get(job=self.done).pk
        objects: list[tuple[str, UUID]] = [
            (ids.ACCOUNT, self.customer.id),
            (ids.JOB, self.queued.pk),
            (ids.JOB, self.done.pk),
            (ids.ATTEMPT, attempt),
            (ids.API_KEY, self.child.pk),
            (ids.EVENT, self.event.pk),
            (ids.WEBHOOK_DELIVERY, self.delivery.pk),
        ]
        return [
            *(ids.encode(prefix, value) for prefix, value in objects),
            *(str(value) for _, value in objects),
            self.child.prefix,
            self.output,
            self.quote,
            "one",
        ]

    @property
    def secrets(self) -> list[str]:
        """What must stand in no answer to anybody else."""
        return [MARK, self.secret, self.customer.key, "198.51.100.7", self.child.label]

    def state(self) -> str:
        """Everything A has, as text."""
        events = SecurityEvent.objects.filter(user_id=self.customer.id).order_by("pk")
        rows = {
            "jobs": list(Job.objects.filter(account_id=self.customer.id).order_by("pk").values()),
            "keys": list(ApiKey.objects.filter(user_id=self.customer.id).order_by("pk").values("pk", "revoked_at")),
            "deliveries": list(
                WebhookDelivery.objects.filter(account_id=self.customer.id).order_by("pk").values("pk", "status", "url")
            ),
            "events": list(events.exclude(kind=SecurityEvent.KEY_USED_FROM_NEW_ADDRESS).values("pk")),
            "links": list(DeviceLink.objects.filter(pk=self.link.pk).values("status", "approved_by_id", "label")),
            "money": self.customer.money(),
            "secret": current_secret(account_id=self.customer.id, now=clock.now()).secret,
        }
        return json.dumps(rows, cls=DjangoJSONEncoder, sort_keys=True, default=str)


@pytest.fixture
def mine(node: StandIn) -> Belongings:
    return Belongings(node)


def requests(route: Route, value: str, document: dict[str, Any]) -> Iterator[tuple[dict[str, str], Any]]:
    """(query, body) with `value` in each place of the route that takes a text, one at a time."""
    operation = document["paths"][route.path][route.method.lower()]
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query":
            yield {parameter["name"]: value}, None
    if route.method == "GET":
        yield {}, None
        return
    schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
    names = list(schema.get("properties", {}))
    for name in names:
        yield {}, {name: value}
    if len(names) > 1:
        yield {}, dict.fromkeys(names, value)
    if route.path in {JOBS, ESTIMATE}:
        yield {}, {"task": "image.edit", "input": {"prompt": "mine now", "sourceImage": value}}
        yield {}, {"task": "video.combine", "input": {"videoUrls": [value, value]}}


def answers_to_a_stranger(mine: Belongings, stranger: Customer, browser: Client) -> Iterator[tuple[str, str, Any]]:
    """(what was asked, with what, the answer) for every route, every name of A's, with a key and with a session."""
    document = openapi_document()
    for route in api_routes():
        for value in mine.ids:
            for query, body in requests(route, value, document):
                path = route.path + ("?" + "&".join(f"{n}={v}" for n, v in query.items()) if query else "")
                headers = {"Authorization": f"Bearer {stranger.key}", "X-Quote-Id": mine.quote}
                asked = {"data": json.dumps(body) if body is not None else "", "content_type": "application/json"}
                yield route.path, value, browser.generic(route.method, path, headers=headers, **asked)


def test_another_account_gets_nothing_and_changes_nothing(mine: Belongings, settings: Any) -> None:
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 10**9)
    stranger = new_customer()
    before = mine.state()
    statuses: dict[int, int] = {}
    for route, value, answer in answers_to_a_stranger(mine, stranger, Client(raise_request_exception=False)):
        text = answer.getvalue().decode()
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        assert answer.status_code < 500 or answer.status_code == 503, (route, value, text)
        for secret in mine.secrets:
            assert secret not in text, (route, value, text)
        if answer.status_code < 300:
            for name in mine.ids:
                # What was sent may come back (an idempotency key, a label); anything else of A's may not.
                assert name in {value, "one"} or name not in text, (route, value, name, text)
    assert mine.state() == before
    assert statuses[404] > 20
    assert sum(statuses.values()) > 500


def test_its_own_things_are_found_under_the_same_names(mine: Belongings) -> None:
    """Else the sweep above would be looking for nothing."""
    assert MARK in json.dumps(mine.customer.status(mine.done, includeDetails=1))
    assert MARK in mine.customer.get("/api/v1/webhook-deliveries").content.decode()
    assert MARK in mine.customer.get("/api/v1/keys").content.decode()
    assert MARK in mine.customer.get("/api/v1/account/events").content.decode()
    assert mine.secret in mine.customer.get("/api/v1/account/webhook-secret").content.decode()


@pytest.mark.parametrize("route", api_routes(), ids=lambda route: f"{route.method} {route.path}")
def test_a_key_without_the_routes_scope_is_refused(route: Route, mine: Belongings, settings: Any) -> None:
    """With every scope but the one it needs; and without any credential at all."""
    settings.RATE_LIMITS = dict.fromkeys(settings.RATE_LIMITS, 10**9)
    scope = route.declaration.scope
    if not isinstance(scope, Scope):
        pytest.skip("needs no scope")
    user = User.objects.get(pk=mine.customer.id)
    others = [one for one in Scope if one != scope]
    key = mint_key(user=user, label="all but one", now=clock.now(), scopes=others).plain
    before = mine.state()
    client = Client(raise_request_exception=False)
    sent = {"data": "{}", "content_type": "application/json"}
    refused = client.generic(route.method, route.path, headers={"x-api-key": key}, **sent)
    assert error(refused, 403, "missing_scope")["details"] == {"scopes": [str(scope)]}
    nobody = client.generic(route.method, route.path, **sent)
    error(nobody, 401, "unauthenticated")
    assert nobody["WWW-Authenticate"] == 'Bearer realm="api"'
    assert mine.state() == before
