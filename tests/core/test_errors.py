"""What an error says when nobody told it what to say."""

import pytest

from core.errors import ApiError, InvalidRequest, InvalidState, NotFound, Unavailable


@pytest.mark.parametrize(
    ("error", "code", "status", "retryable", "message", "retry_after"),
    [
        (ApiError(), "error", 400, False, "The request could not be carried out.", None),
        (
            NotFound(),
            "not_found",
            404,
            False,
            "There is no such object, or it belongs to another account.",
            None,
        ),
        (
            Unavailable(),
            "unavailable",
            503,
            True,
            "A service this request needs cannot be reached right now; try again shortly.",
            5,
        ),
        (InvalidState("It ended."), "invalid_state", 409, False, "It ended.", None),
    ],
)
def test_the_class_says_what_happened(
    error: ApiError, code: str, status: int, retryable: bool, message: str, retry_after: int | None
) -> None:
    assert (error.code, error.http_status, error.retryable) == (code, status, retryable)
    assert (error.message, str(error), error.retry_after, error.details) == (message, message, retry_after, {})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"input.prompt": "must not be empty"}, "input.prompt: must not be empty"),
        ({"": "must be an object"}, "must be an object"),
        ({"input.width": "too small", "input.height": "too small"}, "input.width: too small (and 1 more)"),
    ],
)
def test_an_invalid_request_names_its_fields(fields: dict[str, str], message: str) -> None:
    error = InvalidRequest(fields)
    assert (error.code, error.http_status, error.message) == ("invalid_request", 400, message)
    assert error.details == {"fields": fields}
    assert error.fields == fields
