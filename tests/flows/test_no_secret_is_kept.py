"""Every way to sign in and every secret handed out, on the real platform; afterwards none of them is anywhere."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from deploy.embedded.postgres import Postgres
from deploy.platform import Platform
from deploy.platform.programs import machine
from tests import google

SITE_QUERY = "token=callback-query-7461"
COOKIE = "killa_tamata_browser_session"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder: Path = tmp_path_factory.mktemp("secrets")
    folder.chmod(0o711)
    with google.serve() as issuer, pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(machine()):
            patch.delenv(name)  # the tests' servers: this platform has its own
        settings = {"GOOGLE_CLIENT_IDS": google.CLIENT_ID, "GOOGLE_CERTS_URL": issuer.address, "LOG_LEVEL": "DEBUG"}
        running = Platform(
            folder / "data",
            env_overrides=settings,
            programs=("mail", "web", "steward"),
            web_workers=1,
            port_choice="any",
            say=lambda _: None,
        )
        with running:
            yield running


class Flow:
    """A client that remembers every secret it was given."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.http = httpx.Client(base_url=platform.api_base, timeout=30)
        self.secrets: dict[str, str] = {"bootstrap key": platform.api_key}
        self.codes: list[str] = []
        self.mails = 0

    def post(self, path: str, body: dict[str, Any], *, key: str | None = None, status: int = 200) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        answer = self.http.post(path, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def code_for(self, address: str) -> str:
        """Have a code mailed, and read the mail."""
        self.post("/api/v1/auth/email/start", {"email": address})
        answer = httpx.get(f"{self.platform.mail}/messages.json", params={"after": self.mails, "wait": 20}, timeout=30)
        [message] = answer.json()["messages"]
        self.mails = message["number"]
        assert message["recipients"] == [address]
        [code] = re.findall(r"(?<!\d)\d{6}(?!\d)", message["code_line"])
        self.codes.append(code)
        return str(code)

    def sign_in_by_code(self) -> None:
        code = self.code_for("somebody@example.com")
        wrong = f"{(int(code) + 1) % 10**6:06}"
        body = {"email": "somebody@example.com", "code": wrong}
        self.post("/api/v1/auth/email/verify", body, status=401)
        issued = self.post("/api/v1/auth/email/verify", {**body, "code": code})
        self.secrets["key by code"] = issued["apiKey"]
        self.post("/api/v1/auth/email/verify", {**body, "code": code}, status=401)

    def sign_in_by_browser(self) -> None:
        code = self.code_for("browser@example.com")
        body = {"email": "browser@example.com", "code": code}
        session = self.post("/api/v1/auth/browser/email/verify", body)
        self.secrets["session cookie"] = self.http.cookies[COOKIE]
        self.secrets["CSRF token"] = session["csrfToken"]
        assert self.http.get("/api/v1/balance").status_code == 200
        self.secrets["tampered cookie"] = self.http.cookies[COOKIE][:-4] + "zzzz"
        tampered = httpx.get(
            f"{self.platform.api_base}/api/v1/balance", cookies={COOKIE: self.secrets["tampered cookie"]}
        )
        assert tampered.status_code == 401
        self.http.cookies.clear()

    def sign_in_by_google(self) -> None:
        token = google.token(email="google@example.com")
        self.secrets["ID token"] = token
        self.secrets["key by Google"] = self.post("/api/v1/auth/google", {"idToken": token})["apiKey"]
        self.secrets["forged ID token"] = token[:-8] + "AAAAAAAA"
        self.post("/api/v1/auth/google", {"idToken": self.secrets["forged ID token"]}, status=401)
        in_keys = self.post("/api/v1/keys", {"idToken": token}, status=201)
        self.secrets["key by Google in /keys"] = in_keys["apiKey"]

    def make_and_revoke_a_key(self) -> None:
        made = self.post("/api/v1/keys", {"label": "child"}, key=self.secrets["key by code"], status=201)
        self.secrets["child key"] = made["apiKey"]
        self.post("/api/v1/keys/revoke", {"keyPrefix": made["keyPrefix"]}, key=self.secrets["key by code"])
        assert self.http.get("/api/v1/balance", headers={"x-api-key": made["apiKey"]}).status_code == 401
        wrong = made["apiKey"][:-6] + "WRONG1"
        self.secrets["wrong key"] = wrong
        assert self.http.get("/api/v1/balance", headers={"x-api-key": wrong}).status_code == 401

    def link_a_device(self) -> None:
        started = self.post("/api/v1/device/link/start", {"keyLabel": "laptop"})
        self.secrets["device code"] = started["deviceCode"]
        self.post("/api/v1/device/link/approve", {"userCode": started["userCode"]}, key=self.secrets["key by code"])
        granted = self.post("/api/v1/device/link/poll", {"deviceCode": started["deviceCode"]})
        self.secrets["key by device link"] = granted["apiKey"]
        self.post("/api/v1/device/link/poll", {"deviceCode": started["deviceCode"]}, status=400)

    def read_the_webhook_secret(self) -> None:
        key = {"Authorization": f"Bearer {self.secrets['key by code']}"}
        secret = self.http.get("/api/v1/account/webhook-secret", headers=key).json()["secret"]
        self.secrets["webhook secret"] = secret.removeprefix("whsec_")
        rotated = self.post("/api/v1/account/webhook-secret/rotate", {}, key=self.secrets["key by code"])
        self.secrets["rotated webhook secret"] = rotated["secret"].removeprefix("whsec_")

    def put_a_secret_into_a_query(self) -> None:
        self.http.get(f"/api/v1/balance?{SITE_QUERY}&api_key={self.platform.api_key}")


def dump(platform: Platform) -> str:
    """The whole database as SQL."""
    postgres = platform.servers["postgres"]
    assert isinstance(postgres, Postgres)
    command = [str(postgres.binaries / "pg_dump"), "--inserts", platform.environment["DATABASE_URL"]]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def in_valkey(platform: Platform) -> str:
    """Everything in Valkey."""
    client = Redis.from_url(platform.environment["REDIS_URL"])
    found = []
    for key in client.scan_iter():
        kind = client.type(key)
        found.append(repr(key) + repr(client.get(key) if kind == b"string" else client.dump(key)))
    return "\n".join(found)


def test_no_key_code_or_token_is_in_the_database_the_cache_or_the_logs(platform: Platform) -> None:
    flow = Flow(platform)
    flow.sign_in_by_code()
    flow.sign_in_by_browser()
    flow.sign_in_by_google()
    flow.make_and_revoke_a_key()
    flow.link_a_device()
    flow.read_the_webhook_secret()
    flow.put_a_secret_into_a_query()

    logs = {path.name: path.read_text(errors="replace") for path in (platform.data_dir / "log").iterdir()}
    places = {"database": dump(platform), "Valkey": in_valkey(platform), **logs}
    # The places are read, and read whole: what may stand there is found.
    assert flow.secrets["key by code"][:16] in places["database"]
    assert "somebody@example.com" in places["database"]
    assert "/api/v1/device/link/poll" in places["web.log"]
    assert "sign_in_refused" in places["web.log"]
    for place, text in places.items():
        for name, secret in flow.secrets.items():
            assert secret not in text, f"the {name} is in the {place}"
        assert SITE_QUERY not in text, f"a query is in the {place}"
        for code in flow.codes:  # six digits alone: not a part of a number, an id or a time
            assert not re.search(rf"(?<![0-9a-f.]){code}(?![0-9a-f])", text), f"a code is in the {place}"
    assert len(flow.secrets) == 15
    assert len(flow.codes) == 2
