"""Google's Gemini as the control plane uses it: counting a text's tokens before its job is priced."""

from functools import cache
from typing import Any

from django.conf import settings

from core.errors import Unavailable
from media.catalog.task import CountedText
from workers.protocol.inputs.audio_speak import GEMINI_API_VERSION

TIMEOUT_SECONDS = 10


class GeminiNotConfigured(Unavailable):
    """Speech by Gemini is not available here: the operator has configured no GEMINI_API_KEY."""


class GeminiUnavailable(Unavailable):
    """Gemini did not count the text's tokens; try again shortly."""


def count_tokens(counted: CountedText) -> int:
    """How many input tokens Gemini makes of the text, by its own count: a network call.

    Raises:
        GeminiNotConfigured: no key is set.
        GeminiUnavailable: it did not answer, or not with a count.
    """
    if not settings.GEMINI_API_KEY:
        raise GeminiNotConfigured(retry_after=None)
    client, failures = _client(settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL)
    try:
        answer = client.models.count_tokens(model=counted.model, contents=counted.text)
    except failures as error:
        raise GeminiUnavailable from error
    tokens = answer.total_tokens
    if not isinstance(tokens, int) or tokens < 1:
        raise GeminiUnavailable
    return tokens


@cache
def _client(api_key: str, base_url: str) -> tuple[Any, tuple[type[Exception], ...]]:
    """The client, and what its calls may raise."""
    # Imported where a key is set alone: it takes a second and 50 MB of every web process.
    import httpx2  # noqa: PLC0415
    from google import genai  # noqa: PLC0415
    from google.genai import errors, types  # noqa: PLC0415

    options = types.HttpOptions(
        base_url=base_url or None, api_version=GEMINI_API_VERSION, timeout=TIMEOUT_SECONDS * 1000
    )
    return genai.Client(api_key=api_key, http_options=options), (errors.APIError, httpx2.HTTPError, ValueError)
