"""Callbacks are believed only when proven; judged beside the reference implementation and the platform's own signer."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from core.webhooks.signing import signature_headers
from killatamata.webhooks import InvalidSignature, verify

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode()
OTHER = "whsec_" + base64.b64encode(b"another of twenty-four !").decode()
BODY = json.dumps(
    {"callbackType": "media_job_terminal", "externalJobId": "job_1", "task": "image.generate", "status": "completed"}
).encode()


def headers(*secrets: str, body: bytes = BODY, ago: float = 0) -> dict[str, str]:
    at = time.time() - ago
    return signature_headers(message_id="whd_1", at=datetime.fromtimestamp(at, UTC), body=body, secrets=secrets)


def test_a_sound_message_is_an_event_with_its_job() -> None:
    given = headers(SECRET)
    event = verify(SECRET, given, BODY)
    assert (event.id, event.type, event.body) == ("whd_1", "media_job_terminal", json.loads(BODY))
    assert event.sent_at == datetime.fromtimestamp(int(given["webhook-timestamp"]), UTC)
    assert event.job is not None
    assert (event.job.id, event.job.completed) == ("job_1", True)
    assert Webhook(SECRET).verify(BODY, given) == event.body


def test_one_of_several_signatures_and_secrets_is_enough() -> None:
    both = headers(OTHER, SECRET)
    assert len(both["webhook-signature"].split()) == 2
    assert verify(SECRET, both, BODY).id == verify([OTHER], both, BODY).id == "whd_1"
    assert verify([OTHER, SECRET], headers(SECRET), BODY).id == "whd_1"
    mixed = headers(SECRET)
    mixed["webhook-signature"] = f"v2,AAAA v1,!!! v1 {mixed['webhook-signature']} v1,AAAA"
    assert verify(SECRET, mixed, BODY).id == "whd_1"


def test_the_reference_signs_what_we_verify() -> None:
    now = datetime.now(UTC)
    signed = Webhook(SECRET).sign("msg_1", now, BODY.decode())
    given = {"Webhook-Id": "msg_1", "WEBHOOK-TIMESTAMP": str(int(now.timestamp())), "webhook-Signature": signed}
    assert verify(SECRET, given, BODY.decode()).id == "msg_1"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda given: headers(OTHER),
        lambda given: headers(SECRET, body=BODY + b" "),
        lambda given: {**given, "webhook-id": "whd_2"},
        lambda given: {**given, "webhook-id": "\udcff"},
        lambda given: {**given, "webhook-timestamp": str(int(given["webhook-timestamp"]) - 1)},
        lambda given: {**given, "webhook-timestamp": ""},
        lambda given: {**given, "webhook-timestamp": "²"},
        lambda given: {**given, "webhook-signature": ""},
        lambda given: {**given, "webhook-signature": given["webhook-signature"].replace("v1,", "v2,")},
        lambda given: {**given, "webhook-signature": given["webhook-signature"].removeprefix("v1,")},
        lambda given: {**given, "webhook-signature": "v1,é"},
        lambda given: {},
        lambda given: headers(SECRET, ago=400),
        lambda given: headers(SECRET, ago=-400),
    ],
)
def test_nothing_else_is_believed(spoil: Callable[[dict[str, str]], dict[str, str]]) -> None:
    given = spoil(headers(SECRET))
    with pytest.raises(InvalidSignature):
        verify(SECRET, given, BODY)
    with pytest.raises((WebhookVerificationError, ValueError)):
        Webhook(SECRET).verify(BODY, given)


@pytest.mark.parametrize("forged", ["\udcff", "é", "²"])
def test_an_id_or_time_that_is_not_ascii_is_refused_though_a_signature_would_fit(forged: str) -> None:
    at = datetime.now(UTC)
    seen_as = forged.encode("utf-8", "replace").decode()
    given = signature_headers(message_id=seen_as, at=at, body=BODY, secrets=[SECRET])
    with pytest.raises(InvalidSignature, match="not ASCII"):
        verify(SECRET, {**given, "webhook-id": forged}, BODY)
    with pytest.raises(InvalidSignature, match="not ASCII"):
        verify(SECRET, {**headers(SECRET), "webhook-timestamp": forged}, BODY)


def test_time_is_judged_by_the_clock_and_tolerance_given() -> None:
    late = headers(SECRET, ago=400)
    assert verify(SECRET, late, BODY, now=time.time() - 200).id == "whd_1"
    assert verify(SECRET, late, BODY, tolerance=500).id == "whd_1"
    with pytest.raises(InvalidSignature, match="too old"):
        verify(SECRET, late, BODY)


@pytest.mark.parametrize("body", [b"[1]", b"hello", b"\xff"])
def test_a_signed_message_that_is_no_object_is_no_event(body: bytes) -> None:
    with pytest.raises(InvalidSignature, match="JSON object"):
        verify(SECRET, headers(SECRET, body=body), body)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_é", "whsec_not base64"])
def test_a_wrong_secret_is_the_receivers_mistake_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="signing secret") as wrong:
        verify(secret, headers(SECRET), BODY)
    assert "not base64" not in str(wrong.value)


def test_a_test_message_has_no_job() -> None:
    body = json.dumps({"callbackType": "webhook_test"}).encode()
    event = verify(SECRET, headers(SECRET, body=body), body)
    assert (event.type, event.job) == ("webhook_test", None)
