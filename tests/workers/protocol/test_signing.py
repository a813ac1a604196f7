"""Signatures against vectors made by an independent few lines, and everything that must break them."""

import base64
import hashlib
from dataclasses import FrozenInstanceError

import pytest

from workers.protocol import signing
from workers.protocol.signing import MalformedToken, NodeCredential

MASTER = b"the master key of an installation"
SECRET = bytes.fromhex("2f6a3b1c9d8e7f60514233241506f7e8d9cabbac9d8e7f706152433425160708")
NOW = 1_790_000_000
PATH = "/workers/v1/attempts/01980f2c-7b3a-7c11-8e55-1f0a2b3c4d5e/claim"
BODY = b'{"v":1,"delivery_id":"5f1e2d3c-4b5a-4697-8877-665544332211"}'


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104 by hand: nothing of the module under test, nor of hmac."""
    padded = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).digest()


@pytest.fixture
def credential() -> NodeCredential:
    return NodeCredential(node_id="local-1", version=1, secret=SECRET)


def verify(headers: dict[str, str], **changes: object) -> bool:
    given: dict[str, object] = {
        "method": "POST",
        "path": PATH,
        "timestamp": headers[signing.TIME_HEADER],
        "nonce": headers[signing.NONCE_HEADER],
        "body": BODY,
        "signature": headers[signing.SIGNATURE_HEADER],
        "now": float(NOW),
    } | changes
    return signing.verify_request(SECRET, **given)  # type: ignore[arg-type]


@pytest.fixture
def headers(credential: NodeCredential) -> dict[str, str]:
    return signing.sign_request(credential, method="POST", path=PATH, body=BODY, timestamp=NOW)


def test_known_answers() -> None:
    """Fixed texts: a change of the scheme locks every node out and must be seen here."""
    derived = signing.derive(MASTER, node_id="local-1", version=1)
    assert derived.secret == hmac_sha256(MASTER, b"node\nlocal-1\n1")
    assert derived.secret.hex() == "bab6f74e14033e8b35fa8de24dbd471c75151d5d1ac12eea95eda159902dd8ac"
    text = signing.sign_text(SECRET, "result", "ü")
    assert text == hmac_sha256(SECRET, "result\nü".encode()).hex()
    assert text == "8bb5fc09d59f15c7cb616ebbf7bf6ab415283a2a5e62652251beb5936fc2fe43"


def test_a_request_carries_exactly_these_headers(credential: NodeCredential, headers: dict[str, str]) -> None:
    message = "\n".join(("POST", PATH, str(NOW), headers["X-Node-Nonce"], hashlib.sha256(BODY).hexdigest())).encode()
    assert headers == {
        "X-Node-Id": "local-1",
        "X-Node-Version": "1",
        "X-Node-Timestamp": "1790000000",
        "X-Node-Nonce": headers["X-Node-Nonce"],
        "X-Node-Signature": hmac_sha256(SECRET, message).hex(),
    }
    assert verify(headers)
    assert verify(headers, method="post")


def test_each_signature_has_a_nonce_of_its_own(credential: NodeCredential) -> None:
    signed = [signing.sign_request(credential, method="GET", path="/", body=b"", timestamp=NOW) for _ in range(100)]
    assert len({one["X-Node-Nonce"] for one in signed}) == 100
    assert len({one["X-Node-Signature"] for one in signed}) == 100
    assert all(8 <= len(one["X-Node-Nonce"]) <= 64 for one in signed)


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "PUT"},
        {"path": PATH.replace("claim", "fail")},
        {"path": f"{PATH}?x=1"},
        {"body": BODY + b" "},
        {"body": b""},
        {"timestamp": str(NOW + 1)},
        {"nonce": "another-nonce"},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "é" * 64},
        {"signature": "\udcff"},
    ],
    ids=str,
)
def test_whatever_is_altered_breaks_the_signature(headers: dict[str, str], changes: dict[str, object]) -> None:
    assert not verify(headers, **changes)


def test_another_secret_does_not_verify(headers: dict[str, str]) -> None:
    other = SECRET[:-1] + b"\0"
    assert not signing.verify_request(
        other, method="POST", path=PATH, body=BODY, now=NOW, timestamp=str(NOW),
        nonce=headers["X-Node-Nonce"], signature=headers["X-Node-Signature"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("late", "good"), [(0, True), (60, True), (-60, True), (60.001, False), (61, False), (-61, False), (86_400, False)]
)
def test_a_minute_of_skew_is_taken_and_no_more(headers: dict[str, str], late: float, good: bool) -> None:
    assert verify(headers, now=NOW + late) is good


@pytest.mark.parametrize(
    "timestamp", ["", "now", "-1", "+1", "1.5", " 1790000000", "1790000000\n", "²", "٣", "9" * 5000]
)
def test_a_time_that_is_no_number_is_refused_not_an_error(credential: NodeCredential, timestamp: str) -> None:
    message = "\n".join(("POST", PATH, timestamp, "a-long-nonce", hashlib.sha256(BODY).hexdigest())).encode()
    signature = hmac_sha256(SECRET, message).hex()
    assert not signing.verify_request(
        SECRET, method="POST", path=PATH, body=BODY, now=NOW,
        timestamp=timestamp, nonce="a-long-nonce", signature=signature,
    )  # fmt: skip


@pytest.mark.parametrize(("length", "good"), [(0, False), (7, False), (8, True), (64, True), (65, False)])
def test_a_nonce_has_8_to_64_characters(length: int, good: bool) -> None:
    nonce = "n" * length
    message = "\n".join(("POST", PATH, str(NOW), nonce, hashlib.sha256(BODY).hexdigest())).encode()
    signature = hmac_sha256(SECRET, message).hex()
    assert (
        signing.verify_request(
            SECRET, method="POST", path=PATH, body=BODY, now=NOW, timestamp=str(NOW), nonce=nonce, signature=signature
        )
        is good
    )


def test_a_document_signature_is_bound_to_its_purpose() -> None:
    signature = signing.sign_text(SECRET, "result", "text")
    assert signing.verify_text(SECRET, "result", "text", signature)
    assert not signing.verify_text(SECRET, "claim", "text", signature)
    assert not signing.verify_text(SECRET, "result", "text ", signature)
    assert not signing.verify_text(SECRET, "result", "text", "ü")


def test_secrets_differ_by_master_node_and_version() -> None:
    secrets = {
        signing.derive(master, node_id=node_id, version=version).secret
        for master in (MASTER, MASTER + b"!")
        for node_id in ("local-1", "local-11", "local")
        for version in (1, 11, 2)
    }
    assert len(secrets) == 18
    assert all(len(secret) == 32 for secret in secrets)


def test_a_token_comes_back_as_the_credential(credential: NodeCredential) -> None:
    token = credential.token()
    assert token == f"local-1.1.{base64.urlsafe_b64encode(SECRET).decode().rstrip('=')}"
    assert NodeCredential.parse(token) == credential
    assert NodeCredential.parse(f" {token}\n") == credential
    dotted = signing.derive(MASTER, node_id="gpu-7.example.com", version=12)
    assert NodeCredential.parse(dotted.token()) == dotted


@pytest.mark.parametrize(
    "token",
    [
        "",
        "local-1",
        "local-1.1",
        "local-1..{secret}",
        "local-1.one.{secret}",
        "local-1.0.{secret}",
        "local-1.-1.{secret}",
        "local-1.٣.{secret}",
        ".1.{secret}",
        "local-1.1.{secret}A",
        "local-1.1.{secret}=",
        "local-1.1.{short}",
        "local-1.1.{short}*",
        "local 1.1.{secret}",
        "local-1.1.{secret}\nlocal-1.1.{secret}",
    ],
)
def test_a_malformed_token_is_refused_without_repeating_the_secret(credential: NodeCredential, token: str) -> None:
    secret = credential.token().rpartition(".")[2]
    with pytest.raises(MalformedToken) as caught:
        NodeCredential.parse(token.format(secret=secret, short=secret[:-1]))
    assert str(caught.value) == "NODE_SECRET must look like <node id>.<version>.<secret>"


def test_a_credential_is_frozen(credential: NodeCredential) -> None:
    with pytest.raises(FrozenInstanceError):
        credential.node_id = "other"  # type: ignore[misc]
