"""audio.speak by Gemini: counted exactly before its hold, settled exactly after, against a server of the same HTTP."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

from billing.ledger.models import Transfer
from media import gemini as counting
from media.models import Job
from tests import gemini
from tests.gemini import Gemini
from tests.media.customers import ESTIMATE, Customer, error
from tests.media.standin import Files, StandIn

pytestmark = pytest.mark.django_db

TEXT = "We launch at dawn, hold formation, and bring everyone home safely."
SPEECH = {"provider": "gemini", "text": TEXT}
TOKENS = 17  # 66 characters, four each
HELD = 14_583  # 1.10 × (17 + 20 × 662) = 14 582.7: 662 tokens are 26.48 s


def wav(samples: int) -> Files:
    """A file of so many samples; what is inside does not matter to the bill."""
    return {"output_0001.wav": ("audio/wav", b"RIFF" + bytes(40) + bytes(2 * samples))}


@pytest.fixture
def google(settings: Any) -> Iterator[Gemini]:
    with gemini.serve() as server:
        settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = gemini.KEY, server.address
        yield server


def test_where_no_key_is_configured_it_is_unavailable_with_a_sentence(customer: Customer, settings: Any) -> None:
    settings.GEMINI_API_KEY = ""
    with customer.untouched():
        for answer in (
            customer.submit("audio.speak", SPEECH),
            customer.post(ESTIMATE, {"task": "audio.speak", "input": SPEECH}),
        ):
            body = error(answer, 503, "unavailable")
            assert body["billed"] is False
            assert "no GEMINI_API_KEY" in body["error"]
    assert customer.submit("audio.speak", {"text": TEXT}).status_code == 201  # the house voice needs none


def test_the_hold_is_for_the_tokens_that_gemini_counts(customer: Customer, google: Gemini) -> None:
    estimate = customer.post(ESTIMATE, {"task": "audio.speak", "input": SPEECH}).json()
    job = customer.accepted("audio.speak", SPEECH)
    assert (estimate["usdChargedMicros"], job.price_micros) == (HELD, HELD)
    assert customer.money() == (10_000_000 - HELD, HELD)
    assert job.pricing_meta["units"] == {
        "provider": "gemini",
        "characters": 66,
        "inputTokens": TOKENS,
        "seconds": "662/25",
    }
    assert job.params["maxAudioTokens"] == 662
    assert job.attempts.get().pool == "speech-gemini"
    assert (
        google.asked
        == [
            ("gemini-3.1-flash-tts-preview", "countTokens", {"contents": [{"parts": [{"text": TEXT}], "role": "user"}]})
        ]
        * 2
    )
    assert job.effective_input == {
        "text": TEXT,
        "provider": "gemini",
        "voiceName": "Kore",
        "model": "gemini-3.1-flash-tts-preview",
        "language": "en",
    }


def test_instructions_go_ahead_of_the_text_and_are_counted(customer: Customer, google: Gemini) -> None:
    job = customer.accepted("audio.speak", {**SPEECH, "instructions": "Calmly.", "voiceName": "Puck"})
    sent = f"Calmly.\n\nRead the following text exactly as written:\n{TEXT}"
    assert google.texts() == [sent]
    assert job.pricing_meta["units"]["inputTokens"] == gemini.count(sent) == 30
    assert (job.params["instructions"], job.params["voiceName"]) == ("Calmly.", "Puck")


SETTLED = [
    (36_000, 5_000),  # 1.5 s: 1.10 × (17 + 20 × 37.5) = 843.7, the floor
    (240_000, 5_519),  # 10 s: 1.10 × (17 + 5 000) = 5 518.7
    (240_001, 5_519),  # a 24 000th of a second more: 5 518.72…
    (635_520, HELD),  # 26.48 s, all that was held
]


@pytest.mark.parametrize(("samples", "charged"), SETTLED)
def test_it_is_billed_for_the_exact_seconds(
    customer: Customer, node: StandIn, google: Gemini, samples: int, charged: int
) -> None:
    job = customer.accepted("audio.speak", SPEECH)
    run = node.finish(job, wav(samples))
    job.refresh_from_db()
    assert customer.money() == (10_000_000 - charged, 0)
    assert (job.price_micros, job.charged_micros) == (HELD, charged)
    kinds = Transfer.objects.filter(reference__startswith="job:").order_by("id").values_list("kind", "amount")
    released = [("release", HELD - charged)] if charged < HELD else []
    assert list(kinds) == [("hold", HELD), ("capture", charged), *released]
    status = customer.status(job, includeDetails=1)
    assert (status["billing"]["usdChargedMicros"], status["billed"]) == (charged, True)
    assert status["billing"]["pricingMeta"]["settlement"] == {
        "units": {**job.pricing_meta["units"], "seconds": str(Fraction(samples, 24_000))},
        "heldMicros": HELD,
        "computedMicros": charged,
        "chargedMicros": charged,
    }
    again = run.complete(run.result(wav(samples)))
    assert (again.status_code, again.json()) == (200, {"outcome": "replayed"})
    assert customer.money() == (10_000_000 - charged, 0)


def test_an_answer_beyond_its_bound_costs_what_was_held_and_both_figures_stay(
    customer: Customer, node: StandIn, google: Gemini
) -> None:
    job = customer.accepted("audio.speak", SPEECH)
    node.finish(job, wav(960_000))  # 40 s: 1.10 × (17 + 20 × 1 000) = 22 018.7
    job.refresh_from_db()
    assert customer.money() == (10_000_000 - HELD, 0)
    settled = job.pricing_meta["settlement"]
    assert (settled["computedMicros"], settled["chargedMicros"], job.charged_micros) == (22_019, HELD, HELD)


def test_a_file_without_sound_is_no_delivery(customer: Customer, node: StandIn, google: Gemini) -> None:
    job = customer.accepted("audio.speak", SPEECH)
    for number in (1, 2, 3):
        run = node.take(job)
        assert run.attempt.number == number
        assert run.deliver(wav(0)).json() == {"outcome": "outputs_refused"}
    job.refresh_from_db()
    assert (job.status, job.charged_micros, customer.money()) == ("failed", None, (10_000_000, 0))


def test_a_failed_or_canceled_job_costs_nothing(customer: Customer, node: StandIn, google: Gemini) -> None:
    failed, canceled = (customer.accepted("audio.speak", SPEECH) for _ in range(2))
    node.take(failed).fail(code="gemini_refused", message="Gemini refused.", retryable=False)
    assert customer.cancel(canceled).status_code == 200
    assert customer.money() == (10_000_000, 0)
    status = customer.status(failed)
    assert (status["error"], status["billed"], status["billing"]["usdChargedMicros"]) == ("Gemini refused.", False, 0)


def test_other_tasks_settle_at_their_hold(customer: Customer, node: StandIn) -> None:
    job = customer.accepted("audio.speak", {"text": TEXT})
    node.finish(job, {"output_0001.opus": ("audio/ogg", b"OggS pretended speech")})
    job.refresh_from_db()
    assert (job.price_micros, job.charged_micros, customer.money()) == (16_240, None, (10_000_000 - 16_240, 0))
    assert "settlement" not in job.pricing_meta


def test_a_quote_counts_once(customer: Customer, google: Gemini) -> None:
    quote = customer.post(ESTIMATE, {"task": "audio.speak", "input": SPEECH}).json()["quoteId"]
    job = customer.accepted("audio.speak", SPEECH, headers={"X-Quote-Id": quote})
    assert (google.verbs(), job.price_micros) == (["countTokens"], HELD)


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
def test_without_a_count_there_is_no_hold(customer: Customer, google: Gemini, status: int) -> None:
    google.status = status
    with customer.untouched():
        body = error(customer.submit("audio.speak", SPEECH), 503, "unavailable")
    assert body["error"] == "Gemini did not count the text's tokens; try again shortly."
    assert gemini.KEY not in str(body)


def test_a_gemini_that_is_away_means_no_hold(customer: Customer, settings: Any) -> None:
    settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = gemini.KEY, "http://127.0.0.1:9"
    with customer.untouched():
        error(customer.submit("audio.speak", SPEECH), 503, "unavailable")


def test_bad_input_is_refused_before_gemini_is_asked(customer: Customer, google: Gemini) -> None:
    with customer.untouched():
        assert customer.submit("audio.speak", {**SPEECH, "seed": 1}).status_code == 400
    assert google.asked == []


def test_a_stored_answer_is_replayed_without_counting(customer: Customer, google: Gemini) -> None:
    first = customer.submit("audio.speak", SPEECH, idempotencyKey="once")
    second = customer.submit("audio.speak", SPEECH, idempotencyKey="once")
    assert (first.status_code, second.status_code) == (201, 200)
    assert google.verbs() == ["countTokens"]
    assert Job.objects.count() == 1


def test_one_client_serves_all_counts(customer: Customer, google: Gemini) -> None:
    assert counting._client(gemini.KEY, google.address) is counting._client(gemini.KEY, google.address)
