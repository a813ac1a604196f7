"""/openapi.json: valid, complete for every route, true to the contract and to what is really answered."""

import json
import re
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from rest_framework.views import APIView

from billing.ledger.postings import ReferenceReused
from core.errors import ApiError
from core.operations import Scope
from core.webhooks.models import WebhookDelivery
from core.webhooks.services import enqueue_test
from gateway.discovery.components import Components, NameTaken
from gateway.discovery.document import openapi_document
from gateway.discovery.routes import api_routes, declaration_of
from media.catalog import registry
from media.catalog.task import Facts
from media.services.complete_attempt import ConflictingResult, ForgedResult
from tests.media.customers import ESTIMATE, JOBS, Customer
from tests.media.standin import StandIn

ROOT = Path(__file__).parents[2]
CONTRACT = json.loads((ROOT / "tests" / "contract" / "routes.json").read_text())
METHODS = ("get", "post", "put", "patch", "delete")
ROOMS = ("core.", "accounts.", "billing.", "affiliates.", "payments.", "media.", "gateway.")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(json.dumps(openapi_document()))  # type: ignore[no-any-return]


def views(patterns: list[Any] | None = None, prefix: str = "/") -> Iterator[tuple[str, str, Any]]:
    """(path, method, view class) of everything under /api, by the resolver alone."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern) and path.startswith("/api/"):
            view = pattern.callback.view_class  # type: ignore[attr-defined]
            for method in METHODS:
                if hasattr(view, method):
                    yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path), method, view


ROUTES = list(views())
VIEWS = {(path, method): view for path, method, view in ROUTES}


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(path, method): found for path, methods in document["paths"].items() for method, found in methods.items()}


def codes(operation: dict[str, Any], status: str) -> set[str]:
    schema = operation["responses"][status]["content"]["application/json"]["schema"]
    base, own = schema["allOf"]
    assert base == {"$ref": "#/components/schemas/ErrorBody"}
    return set(own["properties"]["code"]["enum"])


# -- the document by itself -------------------------------------------------------------------------------------------


def test_it_is_valid_openapi_without_a_warning(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validate_schema(document)
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description"), name


def test_every_reference_leads_somewhere_and_every_component_is_used(document: dict[str, Any]) -> None:
    references = set(re.findall(r'"#/components/(\w+)/([\w.-]+)"', json.dumps(document)))
    for kind, name in references:
        assert name in document["components"][kind], (kind, name)
    for kind in ("schemas", "headers"):
        assert document["components"][kind].keys() == {name for found, name in references if found == kind}
    assert "#/$defs" not in json.dumps(document)


def test_every_route_and_no_other_is_in_it(document: dict[str, Any]) -> None:
    assert operations(document).keys() == {(path, method) for path, method, _ in ROUTES}
    assert len(ROUTES) > 25
    assert {(route.path, route.method.lower()) for route in api_routes()} == operations(document).keys()


def test_every_method_declares_who_may_call_it() -> None:
    for path, method, view in ROUTES:
        assert issubclass(view, APIView), path
        declaration = declaration_of(view, method)
        assert isinstance(declaration.scope, Scope) or declaration.scope in {"public", "bootstrap"}


def test_a_method_that_declares_nothing_is_found_out() -> None:
    class Undeclared(APIView):
        def get(self, request: Any) -> None: ...

    with pytest.raises(ImproperlyConfigured, match=r"Undeclared\.get"):
        declaration_of(Undeclared, "get")
    with pytest.raises(ImproperlyConfigured, match=r"Undeclared\.post"):
        declaration_of(Undeclared(), "post")


def test_one_name_is_one_schema() -> None:
    components = Components()
    components.add("Thing", {"type": "string"})
    components.add("Thing", {"type": "string"})
    with pytest.raises(NameTaken, match="Thing"):
        components.add("Thing", {"type": "integer"})


def test_operations_are_complete(document: dict[str, Any]) -> None:
    found = operations(document)
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z][A-Za-z0-9]+", name) for name in names)
    tags = {tag["name"] for tag in document["tags"]}
    for (path, method), operation in found.items():
        where = f"{method} {path}"
        assert set(operation["tags"]) <= tags, where
        assert operation["summary"], where
        assert operation["description"], where
        for status, answer in operation["responses"].items():
            assert answer["description"], where
            assert {"X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= answer[
                "headers"
            ].keys()
            if int(status) >= 400:
                assert codes(operation, status), where
            elif "content" in answer:
                assert answer["content"]["application/json"]["schema"] not in ({}, {"type": "object"}), where
        for parameter in operation.get("parameters", []):
            assert parameter["description"], where
            assert parameter["schema"], where


def test_every_operation_tells_what_any_may_answer(document: dict[str, Any]) -> None:
    for (path, method), operation in operations(document).items():
        statuses = operation["responses"].keys()
        assert {"429", "500", "503"} <= statuses
        assert "Retry-After" in operation["responses"]["429"]["headers"]
        assert "Retry-After" in operation["responses"]["503"]["headers"]
        assert ("requestBody" in operation) <= ({"400", "413", "415"} <= statuses), path
        assert ("parameters" in operation) <= ("400" in statuses), path
        scope = getattr(VIEWS[path, method], method).declaration.scope
        if isinstance(scope, Scope):
            assert operation["x-required-scope"] == scope
            assert operation["security"] == [{"BearerAuth": []}, {"ApiKeyHeader": []}, {"SessionCookie": []}]
            assert codes(operation, "401") == {"unauthenticated"}
            assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]
            assert "missing_scope" in codes(operation, "403")
        else:
            assert "x-required-scope" not in operation
            assert not operation["security"] or operation["security"][0] == {}


def subclasses(error: type[ApiError]) -> Iterator[type[ApiError]]:
    for child in error.__subclasses__():
        yield child
        yield from subclasses(child)


OF_WORKERS = {"media.worker_api.authentication", "media.services.attempts", "media.services.complete_attempt"}
"""Answered to nodes alone: docs/reference tells them."""
UNREACHABLE = {ReferenceReused}
"""What no request can bring about: the references of postings are made of new ids."""


def test_every_error_code_is_documented(document: dict[str, Any]) -> None:
    published = {
        code
        for operation in operations(document).values()
        for status in operation["responses"]
        if int(status) >= 400
        for code in codes(operation, status)
    }
    written = "".join(page.read_text() for page in (ROOT / "docs" / "reference").glob("*.md"))
    in_words = set(re.findall(r"`(\w+)`", document["info"]["description"]))
    found = {error for error in subclasses(ApiError) if error.__module__.startswith(ROOMS)}
    assert {ForgedResult, ConflictingResult} <= found
    for error in found:
        if error.__module__ in OF_WORKERS:
            assert error.code in written, error
        elif error not in UNREACHABLE:
            assert error.code in published | in_words, error
    assert {"route_not_found", "method_not_allowed"} <= in_words


# -- the contract -----------------------------------------------------------------------------------------------------

ADDED_FIELDS = {
    "/api/v1/keys": {"scopes", "monthlySpendLimitUsdMicros"},
}
"""What product.md adds to bodies that the contract closes."""
OURS_ONLY = {
    # An address, a token and a URL have an end somewhere.
    "idToken": {"maxLength"},
    "email": {"maxLength"},
    "completionCallbackUrl": {"minLength", "maxLength"},
    # What a field is when it is left out.
    "label": {"default"},
    "keyLabel": {"default"},
}
LIMITS = ("type", "format", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "default")


def resolved(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[-1]]
    return schema


def compare_fields(ours: dict[str, Any], theirs: dict[str, Any], added: set[str]) -> None:
    assert ours["properties"].keys() - theirs["properties"].keys() == added
    assert theirs["properties"].keys() <= ours["properties"].keys()
    assert set(ours.get("required", ())) == set(theirs.get("required", ()))
    assert ours["additionalProperties"] is theirs["additionalProperties"] is False
    for name, rule in theirs["properties"].items():
        if name in {"task", "input"}:
            continue
        for limit in LIMITS:
            if name == "code" and limit in {"pattern", "minLength", "maxLength"}:
                continue  # six characters there, six digits here
            if limit in rule or limit not in OURS_ONLY.get(name, set()):
                assert ours["properties"][name].get(limit) == rule.get(limit), (name, limit)


@pytest.mark.parametrize("path", CONTRACT["routes"])
def test_the_contracts_routes_are_here_with_its_bodies(path: str, document: dict[str, Any]) -> None:
    mine = document["components"]["schemas"]
    for method, theirs in CONTRACT["routes"][path].items():
        ours = document["paths"][path][method]
        assert ours.get("deprecated", False) == theirs["deprecated"]
        if theirs["key"]:
            assert {"BearerAuth": []} in ours["security"]
            assert {} not in ours["security"]
        given = {(one["name"], one["in"]): one for one in ours.get("parameters", [])}
        for parameter in theirs["parameters"]:
            one = given[parameter["name"], parameter["in"]]
            # Without a job's id the route lists jobs, which the contract does not know.
            assert one["required"] == (parameter["required"] and path != JOBS)
            assert one["schema"].get("minLength") == parameter["schema"].get("minLength")
        if theirs["body"] is None or path == JOBS:
            continue
        assert ours["requestBody"]["required"] == theirs["body"]["required"]
        compare_fields(
            resolved(ours["requestBody"]["content"]["application/json"]["schema"], mine),
            resolved(theirs["body"]["schema"], CONTRACT["schemas"]),
            ADDED_FIELDS.get(path, set()),
        )


def test_a_submit_takes_the_ten_tasks_by_the_contracts_envelopes(document: dict[str, Any]) -> None:
    mine = document["components"]["schemas"]
    theirs = {form["properties"]["task"]["enum"][0]: form for form in CONTRACT["schemas"]["MediaJobRequest"]["oneOf"]}
    for path in (JOBS, ESTIMATE):
        body = document["paths"][path]["post"]["requestBody"]
        assert body["required"] is True
        assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/MediaJobRequest"}
    request = mine["MediaJobRequest"]
    mapping = request["discriminator"]["mapping"]
    assert request["discriminator"]["propertyName"] == "task"
    assert [form["$ref"] for form in request["oneOf"]] == list(mapping.values())
    assert mapping.keys() == theirs.keys()
    for task, reference in mapping.items():
        envelope = resolved({"$ref": reference}, mine)
        compare_fields(envelope, theirs[task], set())
        assert envelope["properties"]["task"]["enum"] == [task]
        # Field by field, tests/media/test_contract.py compares the schema that this one is made of.
        ours = resolved(envelope["properties"]["input"], mine)
        assert ours["properties"].keys() == theirs[task]["properties"]["input"]["properties"].keys()
        assert set(ours.get("required", ())) == set(theirs[task]["properties"]["input"].get("required", ()))


def kinds(schema: dict[str, Any], definitions: dict[str, Any]) -> set[str]:
    schema = resolved(schema, definitions)
    forms = schema.get("anyOf") or schema.get("oneOf")
    if forms:
        return {kind for form in forms for kind in kinds(form, definitions)}
    return ({schema["type"]} if "type" in schema else set()) | ({"null"} if schema.get("nullable") else set())


def narrower(ours: dict[str, Any], theirs: dict[str, Any], mine: dict[str, Any], where: str) -> None:
    """Every member of theirs is one of ours, and whatever we answer in it they allow."""
    ours, theirs = resolved(ours, mine), resolved(theirs, CONTRACT["schemas"])
    if "properties" not in theirs:
        return
    if theirs.get("additionalProperties") is not True:
        assert ours["additionalProperties"] is False, where
        assert ours["properties"].keys() == theirs["properties"].keys(), where
    for name, rule in theirs["properties"].items():
        allowed, given = kinds(rule, CONTRACT["schemas"]), kinds(ours["properties"][name], mine)
        assert given <= allowed | ({"integer"} if "number" in allowed else set()) or not allowed, f"{where}.{name}"
        narrower(ours["properties"][name], rule, mine, f"{where}.{name}")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SubmittedJob", "MediaJobSubmitResponse"),
        ("JobStatus", "MediaJobStatusResponse"),
        ("JobCallback", "MediaJobStatusResponse"),
        ("Health", "HealthResponse"),
        ("InputAdjustment", "MediaInputAdjustment"),
        ("JobBilling", "MediaJobBilling"),
        ("SettledPurchase", "ClaimSettlementResponse"),
    ],
)
def test_answers_have_every_member_of_the_contracts(ours: str, theirs: str, document: dict[str, Any]) -> None:
    mine = document["components"]["schemas"]
    narrower({"$ref": f"#/{ours}"}, {"$ref": f"#/{theirs}"}, mine, ours)


# -- what is really sent and answered ---------------------------------------------------------------------------------


def validator(document: dict[str, Any], schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": document["components"]})


def named(document: dict[str, Any], name: str) -> Draft202012Validator:
    return validator(document, {"$ref": f"#/components/schemas/{name}"})


@pytest.fixture
def judge(document: dict[str, Any]) -> Any:
    """Holds an answer to what the document says of its route and status."""

    def hold(answer: Any, path: str, method: str) -> Any:
        declared = document["paths"][path][method]["responses"][str(answer.status_code)]
        content = declared["content"]["application/json"]["schema"]
        validator(document, content).validate(answer.json())
        for name in declared["headers"]:
            assert name in answer or name in {"Retry-After"}, name
        return answer.json()

    return hold


@pytest.mark.django_db
def test_real_answers_are_what_the_document_says(
    customer: Customer, node: StandIn, judge: Any, document: dict[str, Any], settings: Any
) -> None:
    def members(body: dict[str, Any], name: str) -> None:
        assert body.keys() <= document["components"]["schemas"][name]["properties"].keys()

    adjusted = {"prompt": "x", "aspectRatio": "9:7", "width": 64, "height": 64}
    estimate = judge(customer.post(ESTIMATE, {"task": "image.generate", "input": adjusted}), ESTIMATE, "post")
    submitted = judge(customer.submit(task_input=adjusted, idempotencyKey="k"), JOBS, "post")
    replayed = customer.submit(task_input=adjusted, idempotencyKey="k")
    assert (replayed.status_code, judge(replayed, JOBS, "post")) == (200, submitted)
    members(estimate, "Estimate")
    members(submitted, "SubmittedJob")
    job = customer.job(submitted["externalJobId"])
    for details in ({}, {"includeDetails": "1"}):
        members(judge(customer.get(JOBS, jobId=submitted["externalJobId"], **details), JOBS, "get"), "JobStatus")
    node.finish(job)
    finished = judge(customer.get(JOBS, jobId=submitted["externalJobId"], includeDetails="1"), JOBS, "get")
    assert finished["status"] == "completed"
    members(finished, "JobStatus")
    members(finished["result"], "JobResult")
    other = customer.accepted()
    judge(customer.cancel(other), f"{JOBS}/cancel", "post")
    judge(customer.cancel(job), f"{JOBS}/cancel", "post")  # 409
    page = judge(customer.get(JOBS, limit=1), JOBS, "get")
    assert len(page["jobs"]) == 1
    for path in ("/api/v1/media/tasks", "/api/v1/balance", "/api/v1/health", "/api/v1/account/webhook-secret"):
        judge(customer.get(path), path, "get")
    for path in ("/api/v1/media/tasks", "/api/v1/balance", "/api/v1/account/webhook-secret"):
        judge(customer.http.get(path), path, "get")  # 401
    judge(customer.submit(task_input={}), JOBS, "post")  # 400
    judge(customer.get(JOBS, jobId="job_nobody"), JOBS, "get")  # 404
    judge(customer.post(JOBS), JOBS, "post")
    settings.RATE_LIMITS = {"write": 0, "read": 0}
    limited = customer.get("/api/v1/balance")
    assert (limited.status_code, judge(limited, "/api/v1/balance", "get")["code"]) == (429, "rate_limited")


@pytest.mark.django_db
def test_callbacks_and_deliveries_are_what_the_document_says(
    customer: Customer, node: StandIn, judge: Any, document: dict[str, Any]
) -> None:
    job = customer.accepted(completionCallbackUrl="https://example.com/hook")
    node.finish(job)
    delivery = WebhookDelivery.objects.get(subject_id=job.pk)
    named(document, "JobCallback").validate(json.loads(delivery.body))
    callback = document["webhooks"]["mediaJobEnded"]["post"]
    assert callback["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/JobCallback"
    }
    enqueue_test(account_id=customer.id, url="https://example.com/hook", now=delivery.created_at)
    path = "/api/v1/webhook-deliveries"
    assert len(judge(customer.get(path), path, "get")["webhookDeliveries"]) == 2
    judge(customer.post(f"{path}/test", {"url": "https://example.com/hook"}), f"{path}/test", "post")
    rotate = "/api/v1/account/webhook-secret/rotate"
    judge(customer.post(rotate), rotate, "post")
    judge(customer.post(rotate, {"x": 1}), rotate, "post")


@pytest.mark.django_db
def test_its_examples_are_valid_and_have_a_price(
    customer: Customer, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = Facts(duration=Fraction(2), frame_rate=Fraction(30), width=320, height=180)
    monkeypatch.setattr("media.sources._probe_one", lambda resolved: facts)
    request = named(document, "MediaJobRequest")
    with customer.untouched():
        for task, reference in document["components"]["schemas"]["MediaJobRequest"]["discriminator"]["mapping"].items():
            [example] = resolved({"$ref": reference}, document["components"]["schemas"])["examples"]
            assert example == {"task": task, "input": dict(registry.all_tasks()[task].example_input)}
            request.validate(example)
            answer = customer.post(ESTIMATE, example)
            assert answer.status_code == 200, answer.content
            assert answer.json()["usdChargedMicros"] >= registry.all_tasks()[task].floor_micros
            for wrong in (
                {**example, "seed": 1},
                {**example, "input": {**example["input"], "nonsense": 1}},
                {"task": task},
                {**example, "idempotencyKey": ""},
            ):
                assert not request.is_valid(wrong)
                assert customer.post(ESTIMATE, wrong).status_code == 400
