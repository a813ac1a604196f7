"""The one connection pool to Valkey (Redis protocol) for what may be forgotten: rate limits and nonces."""

from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def valkey() -> "Redis":
    """A client with short timeouts: callers decide what its absence means."""
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=1.0,
        socket_connect_timeout=1.0,
        # One instant second try mends a connection that a restart has cut; waiting would hold up every request.
        retry=Retry(NoBackoff(), 1),
    )
