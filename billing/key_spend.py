"""What is spent through an API key in a calendar month, where the key or one above it has a limit.

A hold counts when it is placed, in the month of that moment (UTC), and what it gives back is taken off that month
again. All counters of an account move under its balance row's lock, which is taken first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.db import models

from accounts.recognition import SpendLimit
from billing.ledger.statements import row, rows
from billing.micros import Micros
from core.errors import Forbidden

_MONTH = "date_trunc('month', now() AT TIME ZONE 'UTC')::date"

_COUNT = f"""
WITH counted AS (
    INSERT INTO billing_keyspend (key_id, month, amount)
    SELECT %(key)s::uuid, {_MONTH}, %(amount)s::bigint WHERE %(amount)s::bigint <= %(limit)s::bigint
    ON CONFLICT (key_id, month) DO UPDATE SET amount = billing_keyspend.amount + excluded.amount
        WHERE billing_keyspend.amount + excluded.amount <= %(limit)s::bigint
    RETURNING id
)
INSERT INTO billing_keyspendhold (reference, spend_id) SELECT %(reference)s, id FROM counted RETURNING id
"""  # noqa: S608 - constants


_READ = f"SELECT key_id, amount FROM billing_keyspend WHERE key_id = ANY(%(keys)s::uuid[]) AND month = {_MONTH}"  # noqa: S608


class KeySpend(models.Model):
    """What the holds placed through a key with a limit in one month come to: charged, or still held."""

    id = models.BigAutoField(primary_key=True)
    key_id = models.UUIDField()
    month = models.DateField()
    """Its first day."""
    amount = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("key_id", "month"), name="billing_keyspend_month"),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="billing_keyspend_amount_not_negative"),
        )

    def __str__(self) -> str:
        return f"{self.key_id} {self.month:%Y-%m}"


class KeySpendHold(models.Model):
    """A hold that counts on a key's month."""

    id = models.BigAutoField(primary_key=True)
    reference = models.TextField()
    """The hold's, `<base>:hold`."""
    spend = models.ForeignKey(KeySpend, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("reference", "spend"), name="billing_keyspendhold_once"),)

    def __str__(self) -> str:
        return self.reference


class SpendLimitExceeded(Forbidden):
    """This would pass the monthly spend limit of the API key, or of the key that made it."""

    code: ClassVar[str] = "spend_limit_exceeded"

    def __init__(self, *, limit: Micros, spent: Micros, required: Micros) -> None:
        super().__init__(
            details={"limitUsdMicros": limit, "spentUsdMicros": spent, "requiredUsdMicros": required},
        )


@dataclass(frozen=True, kw_only=True)
class MonthlySpend:
    """A limit and what counts on it this month, held money included."""

    key_id: UUID
    limit: Micros
    spent: Micros


def count_spend(*, limits: Sequence[SpendLimit], amount: Micros, reference: str) -> None:
    """Count a hold against every limit, inside the transaction that placed it and after its balance was locked.

    Raises:
        SpendLimitExceeded: one of them would be passed; the caller rolls back to before the hold.
    """
    for limit in limits:
        parameters: dict[str, Any] = {
            "key": limit.key_id,
            "amount": amount,
            "limit": limit.micros,
            "reference": reference,
        }
        if row(_COUNT, parameters) is None:
            [spend] = monthly_spend(limits=[limit])
            raise SpendLimitExceeded(limit=limit.micros, spent=spend.spent, required=amount)


def monthly_spend(*, limits: Sequence[SpendLimit]) -> list[MonthlySpend]:
    """What counts on each limit this month."""
    spent: dict[UUID, Micros] = dict(rows(_READ, {"keys": [limit.key_id for limit in limits]}))
    return [MonthlySpend(key_id=limit.key_id, limit=limit.micros, spent=spent.get(limit.key_id, 0)) for limit in limits]
