"""Deposits, refunds, disputes and purchases against the ledger, and commissions against the deposits they are for."""

from affiliates.audit import COMMISSION_FACTS
from billing.audit import CASH, Finding, findings

# A refund that failed, or a dispute that was won, before we ever heard of it took nothing and gave nothing back: its
# row stands for itself. Else what was taken and what was given back are a transfer each.
_DEPOSITS = f"""
WITH cash AS MATERIALIZED ({CASH}),
reversal AS (
    SELECT r.*, d.account_id, d.provider,
        'deposit:' || d.id || ':' || r.kind || ':' || r.provider_id
            || CASE r.kind WHEN 'dispute' THEN ':opened' ELSE '' END AS taken,
        'deposit:' || d.id || ':' || r.kind || ':' || r.provider_id
            || CASE r.kind WHEN 'dispute' THEN ':won' ELSE ':failed' END AS given_back
    FROM payments_reversal r JOIN payments_deposit d ON d.id = r.deposit_id
),
expected AS (
    SELECT 'deposit:' || id || ':paid' AS reference, id, account_id, provider, amount_micros AS amount, true AS due
    FROM payments_deposit
    UNION ALL
    SELECT taken, deposit_id, account_id, provider, -amount_micros,
        status = 'posted' OR EXISTS (SELECT FROM cash WHERE cash.reference IN (taken, given_back))
    FROM reversal
    UNION ALL
    SELECT given_back, deposit_id, account_id, provider, amount_micros,
        EXISTS (SELECT FROM cash WHERE cash.reference IN (taken, given_back))
    FROM reversal WHERE status = 'restored'
)
SELECT CASE WHEN e.id IS NOT NULL THEN 'dep' END, e.id, COALESCE(e.reference, cash.reference),
    figure.name, figure.expected, figure.found
FROM (SELECT * FROM expected WHERE due) e FULL JOIN cash USING (reference)
CROSS JOIN LATERAL (VALUES
    ('transferred', e.amount::text, cash.amount::text, true),
    ('account', e.account_id::text, cash.account_id::text, e.id IS NOT NULL AND cash.reference IS NOT NULL),
    ('provider', 'cash:' || e.provider, cash.house, e.id IS NOT NULL AND cash.reference IS NOT NULL)
) figure (name, expected, found, applies)
WHERE figure.applies AND figure.expected IS DISTINCT FROM figure.found
    -- Before there were deposits, an operator credited by hand.
    AND (e.id IS NOT NULL OR cash.at >= COALESCE(
        (SELECT applied FROM django_migrations WHERE app = 'payments' AND name = '0001_initial'), '-infinity'
    ))
ORDER BY 3, 4
"""  # noqa: S608 - constants

_REVERSED = """
SELECT 'dep', d.id, '', 'reversed', COALESCE(SUM(r.amount_micros) FILTER (WHERE r.status = 'posted'), 0)::bigint,
    d.reversed_micros
FROM payments_deposit d LEFT JOIN payments_reversal r ON r.deposit_id = d.id
GROUP BY d.id
HAVING COALESCE(SUM(r.amount_micros) FILTER (WHERE r.status = 'posted'), 0) <> d.reversed_micros
ORDER BY 2
"""

_PURCHASES = """
WITH purchase AS (
    SELECT 'chk' AS prefix, id, account_id, provider, usd_cents, status = 'paid' AS paid,
        starts_with(note, 'credited_by_operator:') AS decided
    FROM payments_checkout
    UNION ALL
    SELECT 'x4p', id, account_id, 'x402', usd_cents, status = 'settled', false FROM payments_x402payment
)
SELECT COALESCE(p.prefix, 'dep'), id, '', figure.name, figure.expected, figure.found
FROM (SELECT * FROM purchase WHERE paid) p FULL JOIN payments_deposit d USING (id)
CROSS JOIN LATERAL (VALUES
    ('deposit', p.usd_cents::text, d.usd_cents::text),
    ('deposit_micros', (d.usd_cents * 10000)::text, d.amount_micros::text),
    ('deposit_account', p.account_id::text, d.account_id::text),
    ('deposit_provider', p.provider, d.provider)
) figure (name, expected, found)
WHERE figure.expected IS DISTINCT FROM figure.found
    AND (figure.name = 'deposit' OR p.id IS NOT NULL AND d.id IS NOT NULL)
    -- An operator credits what came of a purchase, whatever its price.
    AND NOT (figure.name = 'deposit' AND p.decided IS TRUE AND d.id IS NOT NULL)
ORDER BY id, 4
"""

_COMMISSIONS = f"""
SELECT 'dep', c.deposit_id, '', figure.name, figure.expected, figure.found
FROM ({COMMISSION_FACTS}) c LEFT JOIN payments_deposit d ON d.id = c.deposit_id
CROSS JOIN LATERAL (VALUES
    ('commission_on', d.amount_micros::text, c.deposit_micros::text),
    ('commission_account', d.account_id::text, c.account_id::text)
) figure (name, expected, found)
WHERE figure.expected IS DISTINCT FROM figure.found
ORDER BY 2, 4
"""  # noqa: S608 - constants


def differences() -> list[Finding]:
    """Deposits, refunds, disputes and purchases that differ from each other or from the ledger's transfers."""
    return [found for sql in (_DEPOSITS, _REVERSED, _PURCHASES, _COMMISSIONS) for found in findings("payments", sql)]
