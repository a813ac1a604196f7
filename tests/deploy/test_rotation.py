"""Keys are replaced without anybody noticing, and what was replaced is worthless once the replacing is over."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from accounts import recognition
from accounts.digests import digest
from accounts.models import ApiKey, User
from accounts.services import device_links, email_codes
from accounts.services.keys import mint_key
from accounts.services.security_events import NOWHERE
from core import clock, ids
from core.webhooks.models import WebhookSecret
from core.webhooks.secrets import current_secret, rotate_secret, signing_secrets
from deploy import rotate
from deploy.embedded import EmbeddedServers
from deploy.embedded.credentials import load_or_generate
from media.fleet import services as fleet
from tests.media.customers import new_customer
from tests.media.standin import StandIn

OLD, NEW = "an-older-pepper", "a-newer-pepper"


@pytest.fixture
def user(db: None) -> User:
    return User.objects.get(pk=new_customer(deposit=0).id)


class TestPepper:
    """API_KEY_PEPPER, with the one before in API_KEY_PEPPER_FALLBACKS."""

    @pytest.fixture(autouse=True)
    def _old(self, settings: Settings) -> None:
        settings.API_KEY_PEPPER, settings.API_KEY_PEPPER_FALLBACKS = OLD, []

    def renew(self, settings: Settings) -> None:
        settings.API_KEY_PEPPER, settings.API_KEY_PEPPER_FALLBACKS = NEW, [OLD]
        recognition.forget()

    def finish(self, settings: Settings) -> None:
        settings.API_KEY_PEPPER_FALLBACKS = []
        recognition.forget()

    def test_a_key_moves_to_the_new_pepper_when_it_is_used(self, user: User, settings: Settings) -> None:
        used, unused = (mint_key(user=user, label=label, now=clock.now()) for label in ("used", "unused"))
        self.renew(settings)
        for _ in range(2):  # the second time from memory
            assert recognition.recognise(used.plain, address="198.51.100.1") is not None
        assert bytes(ApiKey.objects.get(pk=used.key.pk).digest) == digest(used.plain)
        self.finish(settings)
        assert recognition.recognise(used.plain) is not None
        assert recognition.recognise(unused.plain) is None

    def test_a_wrong_key_moves_nothing(self, user: User, settings: Settings) -> None:
        minted = mint_key(user=user, label="key", now=clock.now())
        kept = bytes(minted.key.digest)
        self.renew(settings)
        assert recognition.recognise(minted.plain[:-4] + "AAAA") is None
        assert bytes(ApiKey.objects.get(pk=minted.key.pk).digest) == kept

    def test_a_key_minted_meanwhile_needs_no_old_pepper(self, user: User, settings: Settings) -> None:
        self.renew(settings)
        minted = mint_key(user=user, label="key", now=clock.now())
        self.finish(settings)
        assert recognition.recognise(minted.plain) is not None

    def test_a_device_code_from_before_is_still_polled(self, user: User, settings: Settings) -> None:
        started = device_links.start_link(label="laptop", origin=NOWHERE, now=clock.now())
        self.renew(settings)
        with pytest.raises(device_links.AuthorizationPending):
            device_links.poll_link(device_code=started.device_code, origin=NOWHERE, now=clock.now())
        self.finish(settings)
        with pytest.raises(device_links.ExpiredToken):
            device_links.poll_link(device_code=started.device_code, origin=NOWHERE, now=clock.now())

    def test_a_mailed_code_from_before_is_still_right(self, db: None, settings: Settings) -> None:
        code_id = ids.new()
        [before] = email_codes._accepted(code_id)
        self.renew(settings)
        assert email_codes._accepted(code_id) == [email_codes._digits(code_id), before]
        self.finish(settings)
        assert email_codes._accepted(code_id) == [email_codes._digits(code_id)]


class TestSecretKey:
    """SECRET_KEY, with the one before in SECRET_KEY_FALLBACKS."""

    def test_sessions_go_on(self, user: User, settings: Settings) -> None:
        used, unused = Client(), Client()
        for browser in (used, unused):
            browser.force_login(user, backend="accounts.backends.ProvenAddress")
        old = settings.SECRET_KEY
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-secret-key-of-some-length", [old]
        assert used.get("/account").status_code == 200  # and the browser gets a cookie under the new key
        settings.SECRET_KEY_FALLBACKS = []
        assert used.get("/account").status_code == 200
        assert unused.get("/account")["Location"].startswith("/sign-in")


class TestNodeMasterKey:
    """NODE_MASTER_KEY, with the one before in NODE_MASTER_KEY_FALLBACKS."""

    def test_nodes_work_on_and_finish_their_jobs(self, node: StandIn, settings: Settings) -> None:
        customer = new_customer()
        job = customer.accepted()
        run = node.take(job)
        old = settings.NODE_MASTER_KEY
        settings.NODE_MASTER_KEY, settings.NODE_MASTER_KEY_FALLBACKS = "another-master-key", [old]
        run.deliver()
        assert customer.status(job)["status"] == "completed"
        renewed = StandIn(credential=fleet.register_node(node_id="node-1", pools=["image"]))
        assert renewed.credential != node.credential
        renewed.heartbeat()
        node.heartbeat()
        settings.NODE_MASTER_KEY_FALLBACKS = []
        renewed.heartbeat()
        with pytest.raises(AssertionError, match="not signed by a node"):
            node.heartbeat()


class TestDataKeys:
    """DATA_ENCRYPTION_KEYS: `manage.py rotate_data_keys` writes everything under the first."""

    OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()

    def test_the_old_key_can_go_afterwards(self, user: User, settings: Settings) -> None:
        now = clock.now()
        settings.DATA_ENCRYPTION_KEYS = [self.OLD]
        current_secret(account_id=user.pk, now=now)
        rotate_secret(account_id=user.pk, now=now)
        before = signing_secrets(account_id=user.pk, now=now)
        settings.DATA_ENCRYPTION_KEYS = [self.NEW, self.OLD]
        out = StringIO()
        call_command("rotate_data_keys", stdout=out)
        assert "1 account(s)" in out.getvalue()
        settings.DATA_ENCRYPTION_KEYS = [self.NEW]
        assert signing_secrets(account_id=user.pk, now=now) == before
        assert len(before) == 2
        # The secret that was replaced still ends when it would have.
        later = now + timedelta(hours=25)
        assert signing_secrets(account_id=user.pk, now=later) == before[:1]

    def test_a_lost_key_is_said(self, user: User, settings: Settings) -> None:
        settings.DATA_ENCRYPTION_KEYS = [self.OLD]
        current_secret(account_id=user.pk, now=clock.now())
        kept = WebhookSecret.objects.get(account_id=user.pk).encrypted
        settings.DATA_ENCRYPTION_KEYS = [self.NEW]
        with pytest.raises(CommandError, match="DATA_ENCRYPTION_KEYS lacks"):
            call_command("rotate_data_keys", stdout=StringIO())
        assert WebhookSecret.objects.get(account_id=user.pk).encrypted == kept


class TestLocalInstallation:
    """`python -m deploy.rotate`"""

    NAMES = ("secret_key", "api_key_pepper", "node_master_key", "data_encryption_key")

    def environment(self, folder: Path) -> dict[str, str]:
        replaced = {"DATABASE_URL": "postgres://x", "REDIS_URL": "redis://x", "S3_ENDPOINT_URL": "http://x"}
        servers = EmbeddedServers(folder, env=replaced)
        with servers:
            return servers.environment()

    def test_old_secrets_become_fallbacks_until_they_are_let_go(self, tmp_path: Path, capsys: Any) -> None:
        before = self.environment(tmp_path)
        assert rotate.main([*self.NAMES, "s3_secret_key", "--data", str(tmp_path)]) == 0
        after = self.environment(tmp_path)
        for name in ("SECRET_KEY", "API_KEY_PEPPER", "NODE_MASTER_KEY"):
            assert after[name] != before[name]
            assert (before[f"{name}_FALLBACKS"], after[f"{name}_FALLBACKS"]) == ("", before[name])
        new, old = after["DATA_ENCRYPTION_KEYS"].split(",")
        assert (old, new != old) == (before["DATA_ENCRYPTION_KEYS"], True)
        assert rotate.main([*self.NAMES, "--finish", "--data", str(tmp_path)]) == 0
        finished = self.environment(tmp_path)
        assert {finished[f"{name}_FALLBACKS"] for name in ("SECRET_KEY", "API_KEY_PEPPER", "NODE_MASTER_KEY")} == {""}
        assert finished["DATA_ENCRYPTION_KEYS"] == new
        assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
        secrets = [value for name, value in after.items() if name in {"SECRET_KEY", "API_KEY_PEPPER"}]
        assert not any(secret in capsys.readouterr().out for secret in secrets)

    def test_a_running_installation_and_unknown_names_are_left_alone(self, tmp_path: Path, capsys: Any) -> None:
        load_or_generate(tmp_path / "secrets.json")
        before = json.loads((tmp_path / "secrets.json").read_text())
        assert rotate.main(["postgres_password", "--data", str(tmp_path)]) == 1
        assert "cannot be rotated" in capsys.readouterr().err
        replaced = {"DATABASE_URL": "postgres://x", "REDIS_URL": "redis://x", "S3_ENDPOINT_URL": "http://x"}
        with EmbeddedServers(tmp_path, env=replaced):
            assert rotate.main(["secret_key", "--data", str(tmp_path)]) == 1
        assert "already running" in capsys.readouterr().err
        assert json.loads((tmp_path / "secrets.json").read_text()) == before
