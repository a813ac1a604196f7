"""Stripe's webhooks, signed, each a new event about one purchase that is paid: how many a second are taken in."""

import hashlib
import hmac
import json
import time
from functools import partial
from typing import Any

import httpx
import uuid_utils

from deploy.bench import load, traffic
from deploy.bench.client import request
from deploy.bench.report import FIGURE_COLUMNS, Section, Table, Target, figure_cells, number
from deploy.bench.series import Contest, RunInvalid, Series
from deploy.bench.size import Size
from deploy.bench.stage import Stage

PATH = "/api/v1/webhooks/stripe"
BUYER = 93
"""An account that no other section uses."""
JUDGED_AT = 16
WANTED = 300.0
MOST_A_SECOND = 3_000
"""So many events are signed beforehand for each second of a run."""
PATIENCE_SECONDS = 30.0


def webhooks(stage: Stage, size: Size) -> Section:
    """The steward judges meanwhile what is taken in, as ever; the purchase is credited once."""
    told = _paid_purchase(stage)
    judged_before, began = _judged(stage), time.monotonic()
    found = {
        clients: Contest(size.rounds, {"platform": partial(_run, stage, size, told, clients)}) for clients in (1, 16)
    }
    judged = (_judged(stage) - judged_before) / (time.monotonic() - began)
    credits = _count(
        stage,
        "SELECT count(*) FROM billing_transfer t JOIN billing_ledgeraccount own ON own.id = t.credit_id"
        " WHERE own.owner_id = %s AND t.kind = 'deposit'",
        traffic.account_uuid(BUYER),
    )
    if credits != 1:
        raise RunInvalid(f"the purchase was credited {credits} times")
    table = Table(
        title="Webhooks of Stripe",
        columns=("", *FIGURE_COLUMNS),
        rows=[
            [f"{clients} {'client' if clients == 1 else 'clients'}", *figure_cells(contest.medians()["platform"])]
            for clients, contest in found.items()
        ],
        notes=[
            "Signature checked, event stored, answered. Each is new and about the same paid purchase. Meanwhile the "
            f"steward judged {number(judged)} a second, asking the sandbox of each; the purchase was credited once."
        ],
    )
    reached = found[JUDGED_AT].medians()["platform"].rate
    return Section(
        tables=[table],
        targets=[Target(name="webhooks taken in", measured=reached, wanted=WANTED, unit="/s")],
        figures={str(clients): contest.medians() for clients, contest in found.items()} | {"judged_a_second": judged},
    )


def _paid_purchase(stage: Stage) -> dict[str, Any]:
    """Buy a package, pay on the hosted page, wait for the credit; the event that Stripe told it by."""
    platform = stage.platform
    key = {"Authorization": f"Bearer {stage.keys[BUYER]}"}
    with httpx.Client(base_url=platform.api_base, headers=key, timeout=PATIENCE_SECONDS) as client:
        before = client.get("/api/v1/balance").raise_for_status().json()["usdBalanceMicros"]
        opened = client.post("/api/v1/checkout/stripe", json={"packageCode": "starter"}).raise_for_status().json()
        paid = httpx.post(opened["url"], data={"action": "pay"}, timeout=PATIENCE_SECONDS)
        if not paid.is_redirect:
            raise RunInvalid(f"the payment page answered {paid.status_code}")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while client.get("/api/v1/balance").raise_for_status().json()["usdBalanceMicros"] == before:
            if time.monotonic() > deadline:
                raise RunInvalid("a paid purchase was not credited")
            time.sleep(0.1)
    answer = httpx.get(
        f"{platform.sandboxes}/stripe/v1/events",
        params={"type": "checkout.session.completed"},
        headers={"Authorization": f"Bearer {platform.sandbox_keys.stripe_key}"},
        timeout=PATIENCE_SECONDS,
    )
    event: dict[str, Any] = answer.raise_for_status().json()["data"][0]
    return event


def _run(stage: Stage, size: Size, event: dict[str, Any], clients: int) -> Series:
    """One run, once the database has a row of each event that was answered.

    Raises:
        RunInvalid: it has fewer: some were repetitions, which cost less.
    """
    each = round((size.seconds + 1) * MOST_A_SECOND / clients)
    secret = stage.platform.sandbox_keys.stripe_webhook_secret
    streams = [[_signed(event, secret) for _ in range(each)] for _ in range(clients)]
    before = _events(stage)
    series = load.run(stage.port, streams, seconds=size.seconds)
    stored = _events(stage) - before
    if stored < series.requests:
        raise RunInvalid(f"of {series.requests} events {stored} were new")
    return series


def _signed(event: dict[str, Any], secret: str) -> bytes:
    """The request of an event like this one with an id of its own, signed now as Stripe signs."""
    body = json.dumps({**event, "id": f"evt_{uuid_utils.uuid7().hex}"}).encode()
    moment = int(time.time())
    digest = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return request("POST", PATH, headers={"Stripe-Signature": f"t={moment},v1={digest}"}, body=body)


def _events(stage: Stage) -> int:
    return _count(stage, "SELECT count(*) FROM payments_providerevent")


def _judged(stage: Stage) -> int:
    return _count(stage, "SELECT count(*) FROM payments_providerevent WHERE status <> 'received'")


def _count(stage: Stage, sql: str, *parameters: object) -> int:
    with stage.database() as connection:
        row = connection.execute(sql.encode(), parameters).fetchone()
    assert row is not None
    return int(row[0])
