"""`manage.py audit`: hold every room's books against the ledger's transfers; fail on a single micro of difference."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction
from rich.table import Table

from affiliates import audit as affiliates
from billing import audit as billing
from billing.audit import Finding
from billing.management.console import console
from billing.micros import usd
from billing.selectors import TrialBalance, trial_balance
from media import audit as media
from payments import audit as payments
from payments import provider_audit

ROOMS = (billing, affiliates, payments, media)


class Command(BaseCommand):
    """Compare the balances with the transfers, and deposits, jobs, commissions and payouts with both."""

    help = (
        "Recompute every balance from the transfers, compare deposits, jobs, commissions and payouts with them; "
        "exits 1 on any difference. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether the providers are asked, too."""
        parser.add_argument(
            "--providers", action="store_true", help="also read every purchase again at its payment provider"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the trial balance and, if there are any, the differences.

        Raises:
            CommandError: something differs, or all accounts together are not zero.
        """
        screen = console(self.stdout)
        with transaction.atomic(), connection.cursor() as cursor:
            if not connection.savepoint_ids:  # one snapshot for all reads; settable only where a transaction begins
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            findings = [finding for room in ROOMS for finding in room.differences()]
            trial = trial_balance()
        if options["providers"]:
            findings += provider_audit.differences()
        screen.print(_totals(trial))
        if findings:
            screen.print(_table(findings))
            raise CommandError(f"{len(findings)} figure(s) differ", returncode=1)
        if trial.total:
            raise CommandError(f"all accounts together are {trial.total} micros, not 0", returncode=1)
        screen.print(f"{trial.customers} balance(s) agree with their transfers to the micro.")
        screen.print("Deposits, jobs, commissions and payouts agree with the ledger.")


def _totals(trial: TrialBalance) -> Table:
    table = Table("account", title="Trial balance")
    table.add_column("micros", justify="right")
    table.add_column("USD", justify="right")
    lines = [
        ("customers, available", trial.available),
        ("customers, held", trial.held),
        ("customers, receivable", -trial.receivable),
        ("affiliates, commissions", trial.commissions),
        *((f"house, {kind}", amount) for kind, amount in trial.house.items()),
    ]
    for name, amount in lines:
        table.add_row(name, str(amount), usd(amount))
    table.add_section()
    table.add_row("all together", str(trial.total), usd(trial.total))
    return table


def _table(findings: list[Finding]) -> Table:
    table = Table("room", "about", "figure", title="Differences")
    table.add_column("expected", justify="right")
    table.add_column("found", justify="right")
    for finding in findings:
        expected, found = ("missing" if one is None else str(one) for one in (finding.expected, finding.found))
        table.add_row(finding.room, finding.subject, finding.figure, expected, found)
    return table
