"""The front page: what waits for somebody, and how the last days went, each to whoever may see its table.

Every chart has its numbers in a table beside it.
"""

import json
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from billing.micros import MICROS_PER_USD, usd
from gateway.desk import figures
from media.transitions import ATTEMPT_PUBLISHED, ATTEMPT_READY, ATTEMPT_RUNNING, ATTEMPT_STAGING, JOB_STATUSES

_PROVIDER_COLORS = {
    "stripe": "var(--color-primary-500)",
    "coinbase": "#22a06b",
    "x402": "#c9a227",
}
_STATUS_COLORS = {
    "queued": "#94a3b8",
    "processing": "#60a5fa",
    "completed": "#22a06b",
    "failed": "#d64545",
    "canceled": "#c9a227",
    "terminated": "#8b5cf6",
}


def context(request: HttpRequest) -> dict[str, Any]:
    """What the template shows."""
    cards: list[dict[str, Any]] = []
    charts: list[dict[str, Any]] = []
    user: Any = request.user
    if user.has_perm("billing.view_transfer"):
        _money(user, cards, charts)
    if user.has_perm("payments.view_providerevent"):
        _flagged(user, cards)
    if user.has_perm("affiliates.view_payoutrequest"):
        _reviews(user, cards)
    if user.has_perm("media.view_job"):
        _work(user, cards, charts)
    return {"cards": cards, "charts": charts}


def _money(user: Any, cards: list[dict[str, Any]], charts: list[dict[str, Any]]) -> None:
    money = figures.money()
    revenue = [money.revenue.get(day, 0) for day in money.days]
    providers = sorted({provider for _, provider in money.deposits})
    by_provider = {name: [money.deposits.get((day, name), 0) for day in money.days] for name in providers}
    deposited = [sum(values) for values in zip(*by_provider.values(), strict=True)] or [0] * len(money.days)
    cards += [
        _card("Revenue today", _dollars(revenue[-1]), f"{_dollars(sum(revenue))} in {figures.DAYS} days"),
        _card("Deposits today", _dollars(deposited[-1]), f"{_dollars(sum(deposited))} in {figures.DAYS} days"),
        _card(
            "Adjustments waiting",
            str(money.adjustments),
            "for a second person",
            link=_list(user, "billing", "adjustmentrequest", "status=requested"),
            urgent=money.adjustments > 0,
        ),
        _card(
            "Debts",
            _dollars(money.debts.amount),
            f"owed by {money.debts.accounts} accounts",
            link=_list(user, "billing", "balance", "owes=yes"),
            urgent=money.debts.accounts > 0,
        ),
    ]
    days = [f"{day:%d %b}" for day in money.days]
    charts += [
        _chart(
            "Revenue by day",
            "Captured for work, in dollars",
            days,
            {"Revenue": revenue},
            {"Revenue": "var(--color-primary-500)"},
            kind="bar",
        ),
        _chart(
            "Deposits by day",
            "Settled, by provider, in dollars",
            days,
            by_provider,
            _PROVIDER_COLORS,
            kind="bar",
        ),
    ]


def _flagged(user: Any, cards: list[dict[str, Any]]) -> None:
    flagged = figures.payments_flagged()
    cards.append(
        _card(
            "Flagged payments",
            str(sum(flagged)),
            f"{flagged.events} events, {flagged.checkouts} checkouts, {flagged.x402_payments} x402",
            link=_list(user, "payments", "providerevent", "status=flagged"),
            urgent=sum(flagged) > 0,
        )
    )


def _reviews(user: Any, cards: list[dict[str, Any]]) -> None:
    waiting = figures.reviews()
    requested, approved = waiting.payouts["requested"], waiting.payouts["approved"]
    cards += [
        _card(
            "Payouts waiting",
            str(requested.requests),
            f"{_dollars(requested.amount_micros)} to decide; {approved.requests} approved, "
            f"{_dollars(approved.amount_micros)} to pay",
            link=_list(user, "affiliates", "payoutrequest", "status=requested"),
            urgent=requested.requests > 0,
        ),
        _card(
            "Affiliates to review",
            str(waiting.applications),
            "applications",
            link=_list(user, "affiliates", "affiliate", "status=pending"),
            urgent=waiting.applications > 0,
        ),
    ]


def _work(user: Any, cards: list[dict[str, Any]], charts: list[dict[str, Any]]) -> None:
    work = figures.work()
    rate = work.jobs.failure_rate
    alive = sum(1 for state in work.pools.values() if state.live_nodes)
    waiting = sum(pool[ATTEMPT_READY] + pool[ATTEMPT_STAGING] for pool in work.queues.values())
    cards += [
        _card(
            "Failure rate, 24 h",
            "no jobs yet" if rate is None else f"{rate:.1%}",
            f"{work.jobs.of('failed')} failed, {work.jobs.of('completed')} completed",
            link=_list(user, "media", "job", "status=failed"),
            urgent=rate is not None and rate > 0.05,
        ),
        _card("Waiting jobs", str(waiting), f"{alive} of {len(work.pools)} pools have a living node"),
    ]
    if user.has_perm("core.view_deadevent"):
        cards.append(
            _card(
                "Dead events",
                str(work.dead_events),
                f"{work.waiting_events} events and {work.waiting_callbacks} callbacks wait",
                link=_list(user, "core", "deadevent"),
                urgent=work.dead_events > 0,
            )
        )
    tasks = list(work.jobs.by_task)
    charts.append(
        _chart(
            "Jobs by task and state",
            "Submitted in the last 24 hours",
            tasks,
            {status: [work.jobs.by_task[task].get(status, 0) for task in tasks] for status in JOB_STATUSES},
            _STATUS_COLORS,
            kind="bar",
            money=False,
        )
    )
    pools = list(work.queues)
    shown = {
        ATTEMPT_STAGING: "staging",
        ATTEMPT_READY: "waiting",
        ATTEMPT_PUBLISHED: "sent",
        ATTEMPT_RUNNING: "running",
    }
    charts.append(
        _chart(
            "Queue depth by pool",
            "Attempts that are not over, now",
            pools,
            {label: [work.queues[pool][status] for pool in pools] for status, label in shown.items()},
            {"staging": "#94a3b8", "waiting": "#c9a227", "sent": "#60a5fa", "running": "#22a06b"},
            kind="bar",
            money=False,
        )
    )


def _card(title: str, value: str, note: str, *, link: str = "", urgent: bool = False) -> dict[str, Any]:
    return {"title": title, "value": value, "note": note, "link": link, "urgent": urgent}


def _chart(
    title: str,
    note: str,
    labels: list[str],
    series: dict[str, list[int]],
    colors: dict[str, str],
    *,
    kind: str,
    money: bool = True,
) -> dict[str, Any]:
    drawn = {
        "labels": labels,
        "datasets": [
            {
                "label": name,
                "data": [value / MICROS_PER_USD for value in values] if money else values,
                "backgroundColor": colors.get(name, "var(--color-primary-500)"),
                "borderRadius": 2,
                "stack": "all",
            }
            for name, values in series.items()
        ],
    }
    rows = [[label, *(_cell(values[place], money) for values in series.values())] for place, label in enumerate(labels)]
    if money:  # days without any money say nothing in a table
        rows = [row for place, row in enumerate(rows) if any(values[place] for values in series.values())]
    return {
        "title": title,
        "note": note,
        "kind": kind,
        "data": json.dumps(drawn),
        "options": json.dumps(_options(money)),
        "empty": not any(any(values) for values in series.values()),
        "headers": ["", *series],
        "rows": rows,
    }


def _options(money: bool) -> dict[str, Any]:
    """Of Chart.js; it can be given no function here, so the axis of dollars is named by the chart's note."""
    return {
        "animation": False,
        "maintainAspectRatio": False,
        "scales": {
            "x": {"stacked": True, "grid": {"display": False}, "ticks": {"maxRotation": 0, "autoSkipPadding": 12}},
            "y": {"stacked": True, "beginAtZero": True, "ticks": {"precision": 2 if money else 0}, "grid": {}},
        },
        "plugins": {"legend": {"display": True, "position": "bottom", "labels": {"boxWidth": 10, "boxHeight": 10}}},
    }


def _cell(value: int, money: bool) -> str:
    return _dollars(value) if money else str(value)


def _dollars(micros: int) -> str:
    text = usd(abs(micros))
    whole, _, part = text.partition(".")
    return f"{'-' if micros < 0 else ''}${int(whole):,}.{part.ljust(2, '0')}"


def _list(user: Any, app: str, model: str, query: str = "") -> str:
    if not user.has_perm(f"{app}.view_{model}"):
        return ""
    return reverse(f"admin:{app}_{model}_changelist") + (f"?{query}" if query else "")
