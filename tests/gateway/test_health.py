"""/api/v1/health to the contract's letter; /readyz with each dependency, for those who may know."""

from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError

from core import clock, valkey
from media.fleet import selectors as fleet
from media.models import Node
from tests.media.customers import Customer
from tests.media.standin import StandIn
from tests.media.test_contract import SCHEMAS, check

pytestmark = pytest.mark.django_db
OUTSIDE = {"REMOTE_ADDR": "203.0.113.9"}


def test_health_is_the_contracts_answer_and_nothing_more(customer: Customer, settings: Any) -> None:
    answer = customer.http.get("/api/v1/health")
    assert answer.status_code == 200
    body = answer.json()
    check(body, SCHEMAS["HealthResponse"], "health")
    stamp = datetime.fromisoformat(body.pop("timestamp"))
    assert abs((clock.now() - stamp).total_seconds()) < 10
    site = settings.SITE_URL
    assert body == {
        "status": "ok",
        "service": "killatamata",
        "version": {
            "release": settings.VERSION,
            "api": "0.7.0",
            "skill": {
                "name": "killatamata",
                "version": "0.7.0",
                "compatibleApiVersion": "0.7.0",
                "compatibilityPolicy": "exact",
                "autoUpdate": True,
                "manifestUrl": f"{site}/.well-known/agent-skills.json",
                "metadataUrl": f"{site}/skills/killatamata/version.json",
                "rootUrl": f"{site}/skills/killatamata/",
                "entrypointUrl": f"{site}/skills/killatamata/SKILL.md",
            },
        },
    }


def test_ready_names_every_dependency(node: StandIn) -> None:
    answer = node.http.get("/readyz")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["ready"], list(body["checks"])) == (True, ["database", "valkey", "bucket", "workers"])
    assert {name: (entry["ok"], entry["detail"]) for name, entry in body["checks"].items()} == {
        "database": (True, "answers"),
        "valkey": (True, "answers"),
        "bucket": (True, "answers"),
        "workers": (
            True,
            "annotation, diagnostic, image, music, shape, sound, speech, speech-gemini, video, video-tools",
        ),
    }


def unready(node: StandIn) -> list[str]:
    answer = node.http.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    return [name for name, entry in answer.json()["checks"].items() if not entry["ok"]]


def test_without_workers_it_is_not_ready(node: StandIn) -> None:
    Node.objects.update(last_seen_at=None)
    fleet._recent = (0.0, {})
    assert unready(node) == ["workers"]


def test_without_valkey_it_is_not_ready(node: StandIn, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    valkey.valkey.cache_clear()
    try:
        assert unready(node) == ["valkey"]
    finally:
        valkey.valkey.cache_clear()


def test_without_a_bucket_it_is_not_ready(node: StandIn, settings: Any) -> None:
    settings.S3_PRIVATE_BUCKET = "no-such-bucket"
    assert unready(node) == ["bucket"]


def test_without_a_database_it_is_not_ready(node: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.health.connection", type("Away", (), {"cursor": staticmethod(away)}))
        assert unready(node) == ["database"]


def test_strangers_learn_only_whether_it_is_ready(node: StandIn) -> None:
    assert node.http.get("/readyz", **OUTSIDE).json() == {"ready": True}  # type: ignore[arg-type]
    Node.objects.update(last_seen_at=None)
    answer = node.http.get("/readyz", **OUTSIDE)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()) == (503, {"ready": False})


def test_a_forwarded_address_counts_only_from_a_configured_proxy(node: StandIn, settings: Any) -> None:
    forwarded = {"headers": {"X-Forwarded-For": "127.0.0.1"}}
    assert "checks" not in node.http.get("/readyz", **OUTSIDE, **forwarded).json()  # type: ignore[arg-type]
    settings.TRUSTED_PROXIES = ["127.0.0.1", "10.0.0.0/8"]
    through = {"headers": {"X-Forwarded-For": "127.0.0.1, 203.0.113.9, 10.1.1.1"}}
    assert "checks" not in node.http.get("/readyz", **through).json()  # type: ignore[arg-type]
