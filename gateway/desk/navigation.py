"""The side bar: every table in its group, to whoever may see it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

_GROUPS: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        "Money",
        (
            ("Deposits", "payments", "deposit", "payments"),
            ("Checkouts", "payments", "checkout", "shopping_cart"),
            ("x402 payments", "payments", "x402payment", "token"),
            ("Refunds and disputes", "payments", "reversal", "undo"),
            ("Provider events", "payments", "providerevent", "webhook"),
            ("Packages", "payments", "package", "sell"),
            ("Adjustments", "billing", "adjustmentrequest", "tune"),
            ("Transfers", "billing", "transfer", "swap_horiz"),
            ("Balances", "billing", "balance", "account_balance_wallet"),
            ("Prices", "billing", "priceversion", "price_change"),
        ),
    ),
    (
        "Affiliates",
        (
            ("Affiliates", "affiliates", "affiliate", "handshake"),
            ("Payout requests", "affiliates", "payoutrequest", "outbound"),
            ("Commissions", "affiliates", "commission", "percent"),
            ("Attributions", "affiliates", "attribution", "link"),
            ("Decisions", "affiliates", "decision", "gavel"),
        ),
    ),
    (
        "Work",
        (
            ("Jobs", "media", "job", "movie"),
            ("Nodes", "media", "node", "dns"),
            ("Callbacks", "core", "webhookdelivery", "call_made"),
        ),
    ),
    (
        "Accounts",
        (
            ("Accounts", "accounts", "user", "group"),
            ("API keys", "accounts", "apikey", "key"),
            ("Security events", "accounts", "securityevent", "shield"),
            ("Device links", "accounts", "devicelink", "devices"),
            ("Email codes", "accounts", "emailcode", "mail"),
        ),
    ),
    (
        "Platform",
        (
            ("Waiting events", "core", "outboxevent", "outbox"),
            ("Dead events", "core", "deadevent", "report"),
            ("Groups", "auth", "group", "badge"),
            ("What staff did", "admin", "logentry", "history"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups that hold anything for this person."""
    user: Any = request.user
    groups: list[dict[str, Any]] = [
        {"items": [{"title": "Today", "icon": "dashboard", "link": reverse("admin:index")}], "separator": False}
    ]
    for title, tables in _GROUPS:
        items = [
            {"title": name, "icon": icon, "link": reverse(f"admin:{app}_{model}_changelist")}
            for name, app, model, icon in tables
            if user.has_perm(f"{app}.view_{model}")
        ]
        if items:
            groups.append({"title": title, "items": items, "separator": True, "collapsible": False})
    return groups
