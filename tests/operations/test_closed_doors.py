"""What is for operators alone: metrics, the details of readiness, the page of the queues."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.conf import settings as django_settings
from django.test import Client

from deploy import ports
from deploy.embedded.credentials import load_or_generate
from deploy.platform.platform import Platform
from deploy.platform.programs import Programs
from tests.media.standin import StandIn

FOREIGN = "203.0.113.9"
LOGIN = "operator:not-a-word-anybody-guesses"


def look(path: str, *, connection: str = "127.0.0.1", **headers: str) -> Any:
    return Client(raise_request_exception=False).get(path, REMOTE_ADDR=connection, headers=headers)


def shown(path: str, *, connection: str = "127.0.0.1", **headers: str) -> bool:
    """Whether the answer tells what is inside; if not, it must be the one that strangers get."""
    answer = look(path, connection=connection, **headers)
    if path == "/metrics":
        if answer.status_code == 200:
            assert b"killatamata_attempts" in answer.content
            return True
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert b"killatamata_" not in answer.content
        return False
    assert answer.status_code == 200
    assert answer.json().keys() <= {"ready", "checks"}
    return "checks" in answer.json()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
class TestBehindAProxy:
    """On the same machine, where every connection comes from loopback."""

    @pytest.fixture(autouse=True)
    def _proxy(self, node: StandIn, settings: Any) -> None:
        settings.TRUSTED_PROXIES = ["127.0.0.1"]

    def test_a_foreign_client_gets_nothing(self, path: str) -> None:
        assert shown(path, **{"X-Forwarded-For": FOREIGN}) is False
        assert shown(path, **{"X-Forwarded-For": f"127.0.0.1, {FOREIGN}"}) is False
        assert shown(path, **{"X-Forwarded-For": f"127.0.0.1, ::1, {FOREIGN}, 127.0.0.1"}) is False
        assert shown(path, **{"X-Forwarded-For": "nonsense"}) is False

    def test_what_asks_on_the_machine_itself_is_answered(self, path: str) -> None:
        assert shown(path) is True

    def test_no_other_machine_is_believed(self, path: str) -> None:
        assert shown(path, connection="198.51.100.4", **{"X-Forwarded-For": "127.0.0.1"}) is False


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via", "X-Forwarded-Host"])
def test_a_proxy_that_nobody_told_us_of_opens_nothing(path: str, header: str, node: StandIn) -> None:
    assert shown(path) is True
    assert shown(path, **{header: FOREIGN}) is False
    assert shown(path, **{header: "127.0.0.1"}) is False


def fetch(url: str, login: str | None = None) -> int:
    basic = {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"} if login else {}
    try:
        with urlopen(Request(url, headers=basic), timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


@pytest.fixture(scope="module")
def flower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = ports.take(name="flower")
    folder = tmp_path_factory.mktemp("flower")
    environment = {"CELERY_BROKER_URL": django_settings.CELERY_BROKER_URL}
    program = Programs(data_dir=folder, environment=environment).flower(port=port, login=LOGIN)
    program.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        program.stop()
        ports.release([port])


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/broker", "/api/workers", "/api/tasks"])
def test_flower_is_closed_without_its_password(path: str, flower: str) -> None:
    assert fetch(flower + path) == 401
    assert fetch(flower + path, "operator:wrong") == 401


def test_flower_opens_with_it_and_says_that_it_lives_without(flower: str) -> None:
    assert fetch(f"{flower}/workers", LOGIN) == 200
    assert fetch(f"{flower}/healthcheck") == 200
    assert fetch(f"{flower}/api/worker/shutdown/local-1") in {401, 405}


def test_an_installation_makes_the_password_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLOWER_BASIC_AUTH", raising=False)
    old = {"secret_key": "kept"}
    (tmp_path / "secrets.json").write_text(json.dumps(old))
    made: Mapping[str, str] = load_or_generate(tmp_path / "secrets.json")
    assert made["secret_key"] == "kept"
    assert len(made["flower_password"]) >= 24
    assert load_or_generate(tmp_path / "secrets.json") == made

    platform = Platform(tmp_path / "data")
    platform.servers.secrets = dict(made)
    assert platform.flower_login == f"operator:{made['flower_password']}"
    monkeypatch.setenv("FLOWER_BASIC_AUTH", "me:mine")
    assert platform.flower_login == "me:mine"
