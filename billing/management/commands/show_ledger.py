"""`manage.py show_ledger <email or account id>`: one account's balance and transfers."""

import json
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.table import Table

from billing.management.console import console
from billing.micros import Micros, usd
from billing.selectors import BalanceView, StatementLine, balance, transfers
from core import clock, ids


class Command(BaseCommand):
    """Show an account's balance and its transfers."""

    help = "An account's balance and its newest transfers, as a table or as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """The account, how many transfers, and the form."""
        parser.add_argument("account", help="an email address, acct_… or a UUID")
        parser.add_argument("--limit", type=int, default=50, help="how many transfers at most (500)")
        parser.add_argument("--json", action="store_true", help="print JSON with amounts in micros")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print what the account has and how it came to have it.

        Raises:
            CommandError: there is no such account.
        """
        account_id, email = _find(options["account"])
        view, lines = balance(account_id=account_id), transfers(account_id=account_id, limit=options["limit"])
        if options["json"]:
            self.stdout.write(json.dumps(_document(account_id, email, view, lines), indent=2))
            return
        screen = console(self.stdout)
        screen.print(
            f"{email}  {ids.encode(ids.ACCOUNT, account_id)}\n"
            f"available ${usd(view.available)}   held ${usd(view.held)}   owed ${usd(view.receivable)}"
            f"   total ${usd(view.total)}"
        )
        screen.print(_table(lines))


def _find(text: str) -> tuple[UUID, str]:
    users = get_user_model().objects
    if "@" in text:
        user = users.filter(email=text.strip().lower()).first()
    else:
        account_id = ids.decode(ids.ACCOUNT, text) or _uuid(text)
        user = users.filter(pk=account_id).first() if account_id else None
    if user is None:
        raise CommandError(f"there is no account {text}")
    return user.pk, user.email


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _document(account_id: UUID, email: str, view: BalanceView, lines: list[StatementLine]) -> dict[str, Any]:
    return {
        "accountId": ids.encode(ids.ACCOUNT, account_id),
        "email": email,
        "availableUsdMicros": view.available,
        "heldUsdMicros": view.held,
        "owedUsdMicros": view.receivable,
        "totalUsdMicros": view.total,
        "transfers": [
            {
                "id": str(line.id),
                "at": clock.rfc3339(line.at),
                "kind": line.kind,
                "reference": line.reference,
                "availableChangeUsdMicros": line.available_change,
                "heldChangeUsdMicros": line.held_change,
                "owedChangeUsdMicros": line.debt_change,
                "availableAfterUsdMicros": line.available_after,
                "reason": line.reason,
            }
            for line in lines
        ],
    }


def _table(lines: list[StatementLine]) -> Table:
    table = Table()
    table.add_column("at", no_wrap=True)
    table.add_column("what", no_wrap=True)
    table.add_column("reference", no_wrap=True, overflow="ellipsis")
    for column in ("available", "held", "owed", "available after"):
        table.add_column(column, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(
            f"{line.at:%Y-%m-%d %H:%M:%S}",
            line.label,
            line.reference,
            _change(line.available_change),
            _change(line.held_change),
            _change(line.debt_change),
            usd(line.available_after),
        )
    return table


def _change(amount: Micros) -> str:
    return f"{'+' if amount > 0 else ''}{usd(amount)}" if amount else ""
