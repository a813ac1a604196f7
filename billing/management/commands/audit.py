"""`manage.py audit`: recompute every balance from the transfers; fail on a single micro of difference."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from rich.table import Table

from billing.management.console import console
from billing.micros import usd
from billing.selectors import Difference, TrialBalance, audit, trial_balance


class Command(BaseCommand):
    """Compare the materialised balances with the transfers."""

    help = "Recompute every balance from the transfers and compare; exits 1 on any difference. Changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the trial balance and, if there are any, the differences.

        Raises:
            CommandError: something differs, or all accounts together are not zero.
        """
        screen = console(self.stdout)
        with transaction.atomic(), connection.cursor() as cursor:
            if not connection.savepoint_ids:  # one snapshot for both reads; settable only where a transaction begins
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            differences, trial = audit(), trial_balance()
        screen.print(_totals(trial))
        if differences:
            screen.print(_differences(differences))
            raise CommandError(f"{len(differences)} figure(s) differ from the transfers", returncode=1)
        if trial.total:
            raise CommandError(f"all accounts together are {trial.total} micros, not 0", returncode=1)
        screen.print(f"{trial.customers} balance(s) agree with their transfers to the micro.")


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


def _differences(differences: list[Difference]) -> Table:
    table = Table("owner", "bucket", "figure", title="Differences (micros)")
    table.add_column("from transfers", justify="right")
    table.add_column("materialised", justify="right")
    for difference in differences:
        table.add_row(
            str(difference.owner_id or "-"),
            difference.bucket,
            difference.figure,
            "missing" if difference.recomputed is None else str(difference.recomputed),
            "missing" if difference.materialised is None else str(difference.materialised),
        )
    return table
