"""What is tried again, when, and that a submit makes one job whatever is lost."""

import logging
import threading

import pytest

import killatamata
from killatamata import Client, TransportError, transport
from media.models import Job
from tests.clients.conftest import Pauses
from tests.clients.middleman import Hang, Lose, Middleman, Say
from tests.media.customers import IMAGE, IMAGE_MICROS, PROMPT, Customer

BUSY = {"error": "Busy.", "code": "unavailable", "details": {}, "billed": False}


def keys_of(server: Middleman) -> list[object]:
    return [seen.document["idempotencyKey"] for seen in server.seen]


@pytest.mark.django_db(transaction=True)
def test_a_submit_whose_answer_was_lost_is_repeated_under_its_key_and_makes_one_job(
    client: Client, customer: Customer, server: Middleman, pauses: Pauses
) -> None:
    server.script = [Lose(), Say(502, b"<html>"), Lose()]
    submitted = client.submit(IMAGE, PROMPT)
    assert [(seen.method, seen.path) for seen in server.seen] == [("POST", "/api/v1/media/jobs")] * 4
    assert len(set(keys_of(server))) == 1
    assert pauses.taken == [0.5, 1.0, 2.0]
    (job,) = Job.objects.all()
    assert customer.job(submitted.id) == job
    assert customer.money() == (10_000_000 - IMAGE_MICROS, IMAGE_MICROS)


@pytest.mark.django_db(transaction=True)
def test_two_submits_are_two_jobs_and_one_key_of_ones_own_is_one(
    client: Client, customer: Customer, server: Middleman
) -> None:
    first, second = client.submit(IMAGE, PROMPT), client.submit(IMAGE, PROMPT)
    third, fourth = (client.submit(IMAGE, PROMPT, idempotency_key="order 7 ü") for _ in range(2))
    assert len({first.id, second.id, third.id}) == 3
    assert third.id == fourth.id
    with pytest.raises(killatamata.Conflict) as refused:
        client.submit(IMAGE, {"prompt": "another"}, idempotency_key="order 7 ü")
    assert (refused.value.status, refused.value.code, refused.value.billed) == (409, "idempotency_conflict", False)
    assert Job.objects.count() == 3
    assert customer.money() == (10_000_000 - 3 * IMAGE_MICROS, 3 * IMAGE_MICROS)
    assert len(server.seen) == 5  # a refusal is not tried again


@pytest.fixture
def broken() -> Middleman:
    """A server that only says what it is told to."""
    return Middleman()


def test_after_four_tries_the_last_refusal_is_raised(broken: Middleman, pauses: Pauses) -> None:
    broken.script = [Say(503, BUSY, {"Retry-After": "3", "X-Request-Id": f"req_{number}"}) for number in range(1, 6)]
    client = Client("kt", broken.url, pacing=pauses.pacing())
    with broken, client, pytest.raises(killatamata.Unavailable) as refused:
        client.submit(IMAGE, PROMPT)
    error = refused.value
    assert (error.status, error.code, error.message, error.billed) == (503, "unavailable", "Busy.", False)
    assert (error.request_id, error.retry_after) == ("req_4", 3)
    assert str(error) == "Busy. (unavailable, request req_4)"
    assert pauses.taken == [3.5, 4.0, 4.0]  # not before the server wants, and not all at once
    assert len(broken.seen) == 4
    assert len(set(keys_of(broken))) == 1


def test_a_server_that_asks_for_long_silence_is_not_asked_again(broken: Middleman, pauses: Pauses) -> None:
    limited = {"error": "Too many.", "code": "rate_limited", "details": {}, "retryAfter": 3600}
    broken.script = [Say(429, limited, {"Retry-After": "3600"})]
    client = Client("kt", broken.url, pacing=pauses.pacing())
    with broken, client, pytest.raises(killatamata.RateLimited) as refused:
        client.balance()
    assert (refused.value.retry_after, len(broken.seen), pauses.taken) == (3600, 1, [])


def test_pauses_grow_to_eight_seconds(pauses: Pauses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TRIES", 8)
    with Client("kt", closed_port(), pacing=pauses.pacing()) as client, pytest.raises(TransportError, match="no conn"):
        client.balance()
    assert pauses.taken == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def closed_port() -> str:
    with Middleman() as gone:
        return gone.url


def test_what_hands_a_key_over_is_repeated_only_when_it_was_not_carried_out(broken: Middleman, pauses: Pauses) -> None:
    handed = Say(200, {"ok": True, "apiKey": "kt_live_aaaaaaaa_b", "keyPrefix": "kt_live_aaaaaaaa", "account": {}})
    with broken, Client("kt", broken.url, pacing=pauses.pacing()) as client:
        broken.script = [Say(429, BUSY), Say(429, BUSY), handed]
        assert client.poll_link("ktd_1").key_prefix == "kt_live_aaaaaaaa"
        assert len(broken.seen) == 3
        for unclear in (Say(500, BUSY), Say(502), Say(503, BUSY), Say(504)):
            broken.script = [unclear, handed]
            with pytest.raises(killatamata.ApiError):
                client.poll_link("ktd_1")
            assert broken.script.pop() is handed
        broken.script = [Say(200, b"", announce=10), handed]
        with pytest.raises(TransportError, match="broke"):
            client.poll_link("ktd_1")
        assert broken.script == [handed]
    pauses.taken.clear()
    with Client("kt", broken.url, pacing=pauses.pacing()) as client, pytest.raises(TransportError):
        client.poll_link("ktd_1")
    assert pauses.taken == [0.5, 1.0, 2.0]  # no connection: nothing was sent


def test_a_new_key_is_asked_for_under_one_idempotency_key_a_call(broken: Middleman, pauses: Pauses) -> None:
    made = Say(201, {"ok": True, "apiKey": "kt_live_aaaaaaaa_b", "keyPrefix": "kt_live_aaaaaaaa"})
    with broken, Client("kt", broken.url, pacing=pauses.pacing()) as client:
        broken.script = [Say(503, BUSY), Say(201, b"", announce=10), Say(502), made, made]
        assert client.keys.create().key_prefix == client.keys.create().key_prefix == "kt_live_aaaaaaaa"
    sent = [seen.headers["Idempotency-Key"] for seen in broken.seen]
    assert [sent.count(key) for key in dict.fromkeys(sent)] == [4, 1]


def test_a_conflict_that_names_no_key_stays_as_it_is(broken: Middleman, pauses: Pauses) -> None:
    for code, details in (("idempotency_conflict", {}), ("too_many_keys", {"keyPrefix": "kt_live_aaaaaaaa"})):
        broken.script.append(Say(409, {"error": "No.", "code": code, "details": details}))
    with broken, Client("kt", broken.url, pacing=pauses.pacing()) as client:
        for code in ("idempotency_conflict", "too_many_keys"):
            with pytest.raises(killatamata.Conflict) as refused:
                client.keys.create()
            assert (type(refused.value), refused.value.code) == (killatamata.Conflict, code)


def test_a_silent_server_is_given_up_on(broken: Middleman, pauses: Pauses) -> None:
    broken.script = [Hang(), Hang(), Say(200, {"tasks": []})]
    with broken, Client("kt", broken.url, timeout=0.2, pacing=pauses.pacing()) as client:
        assert client.tasks() == []
        assert len(broken.seen) == 3
        broken.script = [Hang()]
        with pytest.raises(TransportError, match="no answer came in time"):
            client.poll_link("ktd_1")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Say(200, b"<html>hello"), "not JSON"),
        (Say(200, {"usdBalance": "ten"}), "cannot be read"),
        (Say(200, b"[]"), "cannot be read"),
    ],
)
def test_another_kind_of_server_is_recognised(broken: Middleman, pauses: Pauses, answer: Say, told: str) -> None:
    broken.script = [answer]
    client = Client("kt", broken.url, pacing=pauses.pacing())
    with broken, client, pytest.raises(TransportError, match=told):
        client.balance()
    assert len(broken.seen) == 1


def test_a_redirect_does_not_take_the_key_along(broken: Middleman, pauses: Pauses) -> None:
    with Middleman() as elsewhere, broken:
        broken.script = [Say(307, b"", {"Location": elsewhere.url})]
        with Client("kt", broken.url, pacing=pauses.pacing()) as client, pytest.raises(killatamata.ApiError) as refused:
            client.submit(IMAGE, PROMPT)
        assert (refused.value.code, len(broken.seen), elsewhere.seen) == ("http_307", 1, [])


def test_no_log_line_and_no_repr_holds_the_key(
    broken: Middleman, pauses: Pauses, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "kt_live_abcdefgh_" + "s" * 43
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore.connection", "httpcore.http11"):  # the server's own settings hush them
        monkeypatch.setattr(logging.getLogger(name), "disabled", False)
        caplog.set_level(logging.DEBUG, logger=name)
    broken.script = [Say(500), Say(401, {"error": "No.", "code": "unauthenticated", "details": {}})]
    with broken, Client(key, broken.url, pacing=pauses.pacing()) as client:
        assert repr(client) == f"Client(base_url={broken.url!r}, key_prefix='kt_live_abcdefgh')"
        with pytest.raises(killatamata.AuthenticationError) as refused:
            client.balance()
        assert broken.seen[-1].headers["Authorization"] == f"Bearer {key}"
    assert caplog.records
    assert "ssss" not in caplog.text + repr(refused.value) + str(vars(refused.value))


@pytest.mark.django_db(transaction=True)
def test_threads_may_share_a_client(client: Client, customer: Customer) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(client.submit(IMAGE, PROMPT).id)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == Job.objects.count() == 4
