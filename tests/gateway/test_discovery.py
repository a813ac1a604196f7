"""llms.txt, the manifests and the skill: complete, in step with each other, and enough to work with."""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError
from django.test import Client

from billing.price_versions import publish_price_version
from core import clock
from gateway.discovery.release import API_VERSION
from gateway.discovery.routes import api_routes
from media.catalog import registry
from tests.media.customers import Customer, error, new_customer

pytestmark = pytest.mark.django_db

SITE = django_settings.SITE_URL
SKILL = "/skills/killatamata"
SERVED = {
    "/openapi.json": "application/json",
    "/llms.txt": "text/plain; charset=utf-8",
    "/.well-known/ai-plugin.json": "application/json",
    "/.well-known/agent-skills.json": "application/json",
    f"{SKILL}/SKILL.md": "text/markdown; charset=utf-8",
    f"{SKILL}/version.json": "application/json",
    f"{SKILL}/agents/openai.yaml": "application/yaml",
    "/logo.svg": "image/svg+xml",
}
PAGES = ("/api-docs", "/legal")
FOREIGN = {"Origin": "https://elsewhere.example"}


@pytest.fixture
def http() -> Client:
    return Client()


def read(http: Client, path: str) -> str:
    answer = http.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def skill_of(http: Client) -> dict[str, Any]:
    manifest = json.loads(read(http, "/.well-known/agent-skills.json"))
    [skill] = manifest["skills"]
    assert isinstance(skill, dict)
    return skill


# -- how they are served ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "media_type"), SERVED.items())
def test_each_has_its_type_and_may_be_kept_for_five_minutes_and_read_from_anywhere(
    http: Client, path: str, media_type: str
) -> None:
    answer = http.get(path, headers=FOREIGN)
    assert (answer.status_code, answer["Content-Type"]) == (200, media_type)
    assert answer["Cache-Control"] == "public, max-age=300"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not answer.cookies
    head = http.head(path)
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", answer["ETag"])
    assert head["Content-Length"] == answer["Content-Length"] == str(len(answer.content))
    again = http.get(path, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", answer["ETag"])
    assert http.get(path, headers={"If-None-Match": '"another"'}).status_code == 200
    assert http.post(path).status_code == 405


def test_the_skills_folder_leads_to_its_entrypoint(http: Client) -> None:
    answer = http.get(f"{SKILL}/", headers=FOREIGN)
    assert (answer.status_code, answer["Location"]) == (302, f"{SKILL}/SKILL.md")
    for path in ("nothing.md", "agents/", "../../gateway/urls.py", "agents/openai.yaml/x", "%2e%2e/version.json"):
        assert http.get(f"{SKILL}/{path}").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_pages_carry_a_policy_and_nothing_from_elsewhere(http: Client, path: str) -> None:
    answer = http.get(path, headers=FOREIGN)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    assert "http" not in policy
    assert "*" not in policy
    page = answer.content.decode()
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', page)
    assert "Access-Control-Allow-Origin" not in answer
    assert not answer.cookies


def test_the_reference_page_runs_no_script_of_its_own(http: Client) -> None:
    page = read(http, "/api-docs")
    assert re.findall(r"<script\b[^>]*>", page) == [
        '<script src="/static/drf_spectacular_sidecar/redoc/bundles/redoc.standalone.js">'
    ]
    assert 'spec-url="/openapi.json"' in page
    policy = http.get("/api-docs")["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "connect-src 'self'" in policy


# -- what they say ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/llms.txt", f"{SKILL}/SKILL.md"])
def test_every_route_stands_there_once_with_its_summary(http: Client, path: str) -> None:
    text = read(http, path)
    found = re.findall(r"^- `([A-Z]+) (/api/[^`?]*)[^`]*` \((.*?)\): (.*)$", text, re.MULTILINE)
    assert sorted((method, route) for method, route, _, _ in found) == sorted(
        (route.method, route.path) for route in api_routes()
    )
    summaries = {(route.method, route.path): route.declaration.summary for route in api_routes()}
    for method, route, needs, summary in found:
        assert summaries[method, route] == summary
        assert needs


@pytest.mark.parametrize("path", ["/llms.txt", f"{SKILL}/SKILL.md"])
def test_every_task_stands_there_with_its_price_and_an_example(http: Client, path: str) -> None:
    text = read(http, path)
    sections = dict(re.findall(r"^### ([a-z]+\.[a-z.]+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == [task.name for task in registry.offered()]
    for task in registry.offered():
        section = sections[task.name]
        assert task.explanation in section
        assert task.title in section
        [body] = re.findall(r'^(?:- Example: `)?({"task": .*?})`?$', section, re.MULTILINE)
        assert json.loads(body) == {"task": task.name, "input": dict(task.example_input)}


def test_llms_tells_every_field_and_the_price_of_today(http: Client) -> None:
    text = read(http, "/llms.txt")
    for task in registry.offered():
        for field in task.input_model.published_schema()["properties"]:
            assert f"| `{field}` |" in text
    assert "- Today: per_clip = 5000\n" in text
    publish_price_version(task="video.combine", formula="combine.v1", coefficients={"per_clip": 6_000}, now=clock.now())
    assert "- Today: per_clip = 6000\n" in read(http, "/llms.txt")


def test_without_the_database_llms_is_unavailable_and_the_rest_is_there(
    http: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.discovery.texts.current_price_version", away)
        patch.setattr("gateway.discovery.views.connection", type("Away", (), {"close": staticmethod(lambda: None)}))
        error(http.get("/llms.txt"), 503, "unavailable")
        for path in SERVED.keys() - {"/llms.txt"}:
            assert http.get(path).status_code == 200


def test_the_skill_is_the_same_whatever_the_prices_are(http: Client) -> None:
    before = skill_of(http)["files"]
    publish_price_version(task="video.combine", formula="combine.v1", coefficients={"per_clip": 6_000}, now=clock.now())
    assert skill_of(http)["files"] == before


def test_the_manifest_is_enough_to_install_the_skill(http: Client) -> None:
    skill = skill_of(http)
    assert (skill["name"], skill["version"], skill["compatibilityPolicy"]) == ("killatamata", API_VERSION, "exact")
    assert skill["description"]
    assert skill["install"]
    assert [file["path"] for file in skill["files"]] == ["SKILL.md", "version.json", "agents/openai.yaml"]
    for file in skill["files"]:
        assert file["url"] == skill["rootUrl"] + file["path"]
        content = http.get(file["url"].removeprefix(SITE)).content
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["bytes"], file["sha256"])
    head = read(http, f"{SKILL}/SKILL.md").split("---\n")[1]
    assert re.search("^name: killatamata$", head, re.MULTILINE)
    [description] = re.findall("^description: (.*)$", head, re.MULTILINE)
    assert json.loads(description) == skill["description"]
    assert len(skill["description"]) <= 1024
    assert f'version: "{API_VERSION}"' in head


def test_the_yaml_names_the_skill(http: Client) -> None:
    lines = read(http, f"{SKILL}/agents/openai.yaml").splitlines()
    assert lines[0] == "interface:"
    found = {name: json.loads(value) for name, value in (line.strip().split(": ", 1) for line in lines[1:])}
    assert found.keys() == {"display_name", "short_description", "default_prompt"}
    assert found["display_name"] == "Killa Tamata"
    assert "$killatamata" in found["default_prompt"]


def test_the_plugin_manifest(http: Client) -> None:
    plugin = json.loads(read(http, "/.well-known/ai-plugin.json"))
    assert plugin.keys() == {
        "schema_version",
        "name_for_human",
        "name_for_model",
        "description_for_human",
        "description_for_model",
        "auth",
        "api",
        "logo_url",
        "contact_email",
        "legal_info_url",
    }
    assert plugin["schema_version"] == "v1"
    assert plugin["auth"] == {"type": "user_http", "authorization_type": "bearer"}
    assert plugin["api"] == {"type": "openapi", "url": f"{SITE}/openapi.json"}
    assert plugin["logo_url"] == f"{SITE}/logo.svg"


def test_one_version_is_told_everywhere(http: Client) -> None:
    health = http.get("/api/v1/health").json()["version"]
    skill = skill_of(http)
    metadata = json.loads(read(http, f"{SKILL}/version.json"))
    assert json.loads(read(http, "/openapi.json"))["info"]["version"] == health["api"] == API_VERSION
    assert health["skill"].items() <= skill.items()
    assert health["skill"].items() <= metadata.items()
    assert {health["skill"]["version"], health["skill"]["compatibleApiVersion"]} == {API_VERSION}
    for path in ("/llms.txt", f"{SKILL}/SKILL.md"):
        assert f"release {API_VERSION}" in read(http, path)


def urls_in(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for member in value.values():
                yield from urls_in(member)
        case list():
            for member in value:
                yield from urls_in(member)
        case str() if value.startswith("http"):
            yield value


def test_every_address_that_they_name_answers(http: Client) -> None:
    named = set()
    for path in ("/.well-known/ai-plugin.json", "/.well-known/agent-skills.json", f"{SKILL}/version.json"):
        named |= set(urls_in(json.loads(read(http, path))))
    named |= set(urls_in(http.get("/api/v1/health").json()))
    for path in ("/llms.txt", f"{SKILL}/SKILL.md"):
        named |= set(re.findall(rf"{re.escape(SITE)}/[\w./-]*[\w/]", read(http, path)))
    info = json.loads(read(http, "/openapi.json"))["info"]
    named |= {info["termsOfService"]}
    assert len(named) > 10
    for url in named:
        assert url.startswith(SITE)
        assert http.get(url.removeprefix(SITE), follow=True).status_code == 200, url


def test_other_addresses_of_site_and_api_are_told(http: Client, settings: Any) -> None:
    settings.SITE_URL = "https://site.example"
    settings.API_BASE_URL = "https://api.example"
    settings.LEGAL_INFO_URL = "https://site.example/terms"
    settings.CONTACT_EMAIL = "people@site.example"
    skill = read(http, f"{SKILL}/SKILL.md")
    assert "API=https://api.example\n" in skill
    assert "https://site.example/openapi.json" in skill
    assert SITE not in skill
    assert SITE not in read(http, "/llms.txt")
    plugin = json.loads(read(http, "/.well-known/ai-plugin.json"))
    assert plugin["legal_info_url"] == "https://site.example/terms"
    assert plugin["contact_email"] == "people@site.example"


# -- what SKILL.md tells an agent to do -------------------------------------------------------------------------------


def test_the_skills_own_commands_work(http: Client, customer: Customer) -> None:
    text = read(http, f"{SKILL}/SKILL.md")
    calls = re.findall(r"curl [^`]*?\$API(/api/[^\s\"?`]+)(.*?)(?=\ncurl|\n```|`)", text, re.DOTALL)
    assert [path for path, _ in calls] == [
        "/api/v1/health",
        "/api/v1/device/link/start",
        "/api/v1/device/link/poll",
        "/api/v1/auth/email/start",
        "/api/v1/auth/email/verify",
        "/api/v1/balance",
        "/api/v1/media/jobs",
        "/api/v1/media/jobs",
    ]
    bodies = {path: json.loads(re.findall(r"-d '(.*)'", rest)[0]) for path, rest in calls if "-d '" in rest}
    start = "/api/v1/device/link/start"
    started = http.post(start, bodies[start], content_type="application/json")
    assert started.status_code == 200
    assert {"userCode", "verificationUri", "verificationUriComplete", "deviceCode", "interval"} <= started.json().keys()
    poll = bodies["/api/v1/device/link/poll"] | {"deviceCode": started.json()["deviceCode"]}
    error(http.post("/api/v1/device/link/poll", poll, content_type="application/json"), 400, "authorization_pending")
    assert "usdBalance" in customer.get("/api/v1/balance").json()
    submitted = customer.post(
        "/api/v1/media/jobs", bodies["/api/v1/media/jobs"], headers={"X-Idempotency-Key": "a new unique text"}
    )
    assert submitted.status_code == 201
    job = customer.get("/api/v1/media/jobs", jobId=submitted.json()["externalJobId"]).json()
    assert {"status", "etaSeconds", "downloadableOutputUrls"} <= job.keys()
    poor = new_customer(deposit=0)
    refused = error(poor.post("/api/v1/media/jobs", bodies["/api/v1/media/jobs"]), 402, "insufficient_balance")
    for page in (text, read(http, "/llms.txt")):
        assert set(re.findall(r"`details\.(\w+UsdMicros)`", page)) == refused["details"].keys()
    for path in ("/api/v1/auth/email/start", "/api/v1/auth/email/verify"):
        document = json.loads(read(http, "/openapi.json"))
        schema = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        fields = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]["properties"]
        assert bodies[path].keys() <= fields.keys()
