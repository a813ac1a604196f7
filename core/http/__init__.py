"""The ONE client for URLs that somebody else chose: public addresses only, resolved once, pinned, capped."""

from core.http.errors import FetchFailed, ForbiddenUrl, HttpError, TooLarge
from core.http.fetch import Fetched, fetch_to
from core.http.post import PostOutcome, post
from core.http.ranges import RangeReader
from core.http.urls import check_url

__all__ = [
    "FetchFailed",
    "Fetched",
    "ForbiddenUrl",
    "HttpError",
    "PostOutcome",
    "RangeReader",
    "TooLarge",
    "check_url",
    "fetch_to",
    "post",
]
