"""`python -m deploy.bench.keys <key>`, run with a platform's settings: what it takes to know a key; prints JSON.

In one process without HTTP, so that nothing but the authentication is measured: remembered, looked up anew each time,
and beside both the floor of one trip to the same database.
"""

import json
import sys
import time
from collections.abc import Callable
from statistics import median

import django

django.setup()

from django.db import connection  # noqa: E402 - Django first
from rest_framework.request import Request  # noqa: E402
from rest_framework.test import APIRequestFactory  # noqa: E402

from accounts import recognition  # noqa: E402
from accounts.authentication import ApiKeyAuthentication  # noqa: E402
from accounts.digests import digest  # noqa: E402

TIMES = 2_000
Figures = dict[str, float]


def measure(key: str) -> dict[str, Figures]:
    """p50 and p95 in milliseconds of each way, each `TIMES` times in turn with the others."""
    request = Request(APIRequestFactory().get("/api/v1/balance", headers={"Authorization": f"Bearer {key}"}))
    authentication = ApiKeyAuthentication()

    def authenticate() -> None:
        if authentication.authenticate(request) is None:
            raise LookupError("the key is nobody's: nothing was measured")

    def look_up() -> None:
        recognition.forget()
        authenticate()

    ways: dict[str, Callable[[], object]] = {
        "one trip to the database": _trip,
        "key looked up": look_up,
        "key remembered": authenticate,
        "key hashed": lambda: digest(key),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TIMES):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            taken[name].append((time.perf_counter() - begun) * 1000)
    return {name: {"p50": median(each), "p95": sorted(each)[int(len(each) * 0.95)]} for name, each in taken.items()}


def _trip() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


if __name__ == "__main__":
    json.dump(measure(sys.argv[1]), sys.stdout)
