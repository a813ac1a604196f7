"""Keys, security events, the webhook secret and device links, against the real routes."""

import pytest

import killatamata
from accounts.models import ApiKey, DeviceLink
from killatamata import Client
from killatamata.device_link import link
from tests.clients.conftest import Pauses
from tests.clients.middleman import Hang, Lose, Middleman, Say
from tests.media.customers import Customer

pytestmark = pytest.mark.django_db(transaction=True)


def test_keys_are_made_listed_limited_and_revoked(client: Client, server: Middleman, pauses: Pauses) -> None:
    (own,) = client.keys.list()
    assert (own.current, own.label, own.scopes, own.key_prefix) == (True, "tests", None, client.key_prefix)
    made = client.keys.create(label="reader", scopes=["media:read"], monthly_spend_limit_usd_micros=5_000_000)
    assert (made.label, made.scopes, made.monthly_spend_limit_usd_micros) == ("reader", ["media:read"], 5_000_000)
    assert made.api_key.startswith(made.key_prefix)
    assert made.api_key not in repr(made)
    with Client(made.api_key, server.url, pacing=pauses.pacing()) as reader:
        assert reader.tasks()
        with pytest.raises(killatamata.PermissionDenied) as refused:
            reader.keys.list()
        assert refused.value.code == "missing_scope"
        revoked = client.keys.revoke(made.key_prefix)
        assert client.keys.revoke(made.key_prefix) == revoked  # twice is once
        with pytest.raises(killatamata.AuthenticationError):
            reader.tasks()
    assert {key.key_prefix for key in client.keys.list() if key.revoked_at} == {made.key_prefix}
    with pytest.raises(killatamata.NotFound):
        client.keys.revoke(made.key_prefix[:-1])
    events = list(client.events(page_size=1))
    assert [event.kind for event in events].count("key_revoked") == 1
    assert {event.key_prefix for event in client.events(kind="key_revoked")} == {made.key_prefix}


def test_a_new_key_whose_answer_was_lost_is_named_to_be_revoked(
    client: Client, customer: Customer, server: Middleman
) -> None:
    server.script = [Lose()]
    with pytest.raises(killatamata.KeyNotShown) as lost:
        client.keys.create(label="robot")
    made = ApiKey.objects.get(user_id=customer.id, label="robot")  # one, however often it was asked for
    assert (lost.value.status, lost.value.code, lost.value.key_prefix) == (409, "idempotency_conflict", made.prefix)
    assert f"The key {made.prefix} was made" in str(lost.value)
    assert "revoke it" in str(lost.value)
    assert len(server.seen) == 2
    assert client.keys.revoke(lost.value.key_prefix).key_prefix == made.prefix


def test_the_webhook_secret_is_not_shown_by_accident(client: Client) -> None:
    secret = client.webhook_secret()
    assert secret.secret.startswith("whsec_")
    assert secret.secret not in repr(secret)
    assert client.webhook_secret() == secret


class Person:
    """Decides a link at the third pause, by which time the polls came too fast for the server."""

    def __init__(self, customer: Customer, pauses: Pauses, verb: str) -> None:
        self.customer, self.pauses, self.verb = customer, pauses, verb
        self.code = ""

    def shown(self, started: killatamata.models.DeviceLink) -> None:
        assert (started.interval, started.expires_in) == (5, 600)
        assert started.device_code not in repr(started)
        self.code = started.user_code

    def sleep(self, seconds: float) -> None:
        self.pauses.sleep(seconds)
        if len(self.pauses.taken) == 3:
            answer = self.customer.post(f"/api/v1/device/link/{self.verb}", {"userCode": self.code})
            assert answer.status_code == 200, answer.content


def test_a_link_becomes_a_key_once_approved_and_obeys_slow_down(
    customer: Customer, server: Middleman, pauses: Pauses
) -> None:
    person = Person(customer, pauses, "approve")
    pacing = pauses.pacing()
    pacing.sleep = person.sleep
    with Client(base_url=server.url, pacing=pauses.pacing()) as nobody:
        linked = link(nobody, label="a robot", on_start=person.shown, pacing=pacing)
    assert pauses.taken == [5, 5, 10]
    assert (linked.label, linked.account.id) == ("a robot", customer.public_id)
    assert linked.api_key not in repr(linked)
    assert all("Authorization" not in seen.headers for seen in server.seen)
    with Client(linked.api_key, server.url, pacing=pauses.pacing()) as client:
        assert client.balance().usd_balance_micros == 10_000_000
    assert ApiKey.objects.filter(user_id=customer.id).count() == 2


def test_a_denied_link_is_no_key(customer: Customer, server: Middleman, pauses: Pauses) -> None:
    person = Person(customer, pauses, "deny")
    pacing = pauses.pacing()
    pacing.sleep = person.sleep
    with (
        Client(base_url=server.url, pacing=pauses.pacing()) as nobody,
        pytest.raises(killatamata.LinkRefused) as denied,
    ):
        link(nobody, on_start=person.shown, pacing=pacing)
    assert denied.value.code == "access_denied"
    assert ApiKey.objects.filter(user_id=customer.id).count() == 1


def test_a_linked_key_whose_answer_was_lost_is_told_of(customer: Customer, server: Middleman, pauses: Pauses) -> None:
    person = Person(customer, pauses, "approve")
    pacing = pauses.pacing()

    def sleep(seconds: float) -> None:
        person.sleep(seconds)
        if len(pauses.taken) == 3:
            server.script = [Lose()]

    pacing.sleep = sleep
    with (
        Client(base_url=server.url, pacing=pauses.pacing()) as nobody,
        pytest.raises(killatamata.LinkRefused, match=r"a key that was made .* revoke it") as lost,
    ):
        link(nobody, on_start=person.shown, pacing=pacing)
    assert lost.value.code == "expired_token"
    assert ApiKey.objects.filter(user_id=customer.id).count() == 2


@pytest.mark.parametrize(
    ("between", "told"),
    [
        ([], False),
        ([Say(503, {"error": "Busy.", "code": "unavailable"})], True),
        ([Say(200, b"", announce=10)], True),
        ([Say(503), Say(400, {"error": "Wait.", "code": "authorization_pending", "details": {}})], False),
    ],
)
def test_a_key_is_suspected_only_where_an_answer_was_lost(pauses: Pauses, between: list[Say], told: bool) -> None:
    started = {"deviceCode": "d", "userCode": "ABCD-EFGH", "verificationUri": "https://a/link", "expiresIn": 60}
    gone = Say(400, {"error": "Gone.", "code": "expired_token", "details": {}})
    with Middleman() as server, Client(base_url=server.url, pacing=pauses.pacing()) as nobody:
        server.script = [Say(200, started), *between, gone]
        with pytest.raises(killatamata.LinkRefused) as refused:
            link(nobody, on_start=lambda started: None, pacing=pauses.pacing())
        assert server.script == []
    assert (refused.value.code, "revoke it" in str(refused.value)) == ("expired_token", told)


def test_a_link_that_nobody_approves_ends_and_outages_are_waited_out(pauses: Pauses) -> None:
    started = {"deviceCode": "d", "userCode": "ABCD-EFGH", "verificationUri": "https://a/link", "expiresIn": 60}
    pending = Say(400, {"error": "Wait.", "code": "authorization_pending", "details": {"interval": 5}})
    with Middleman() as server, Client(base_url=server.url, timeout=0.2, pacing=pauses.pacing()) as nobody:
        server.script = [Say(200, started), pending, Hang(), *[pending] * 20]
        with pytest.raises(killatamata.LinkRefused) as expired:
            link(nobody, on_start=lambda started: None, pacing=pauses.pacing())
        assert expired.value.code == "expired_token"
        assert pauses.taken == [5, 5, *[10] * 6]
        server.script = [Say(200, started), Say(400, {"error": "Gone.", "code": "expired_token", "details": {}})]
        with pytest.raises(killatamata.LinkRefused, match="run out"):
            link(nobody, on_start=lambda started: None, pacing=pauses.pacing())
    assert not DeviceLink.objects.exists()
