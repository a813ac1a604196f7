"""Times as every answer shows them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from core import clock


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 31, 12, 0, tzinfo=UTC), "2026-01-31T12:00:00.000Z"),
        (datetime(2026, 1, 31, 12, 0, 0, 123_999, tzinfo=UTC), "2026-01-31T12:00:00.123Z"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))), "2025-12-31T23:30:00.000Z"),
        (
            datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=timezone(-timedelta(hours=5, minutes=30))),
            "2026-01-01T05:30:00.000Z",
        ),
    ],
)
def test_rfc3339(moment: datetime, text: str) -> None:
    assert clock.rfc3339(moment) == text
    assert abs(datetime.fromisoformat(text) - moment) < timedelta(milliseconds=1)


def test_now_is_aware_and_in_utc() -> None:
    before, now, after = datetime.now(UTC), clock.now(), datetime.now(UTC)
    assert before <= now <= after
    assert now.tzinfo is UTC
