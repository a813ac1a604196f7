"""Commissions and payouts against the ledger."""

from affiliates.transitions import AVAILABLE, PAID, PAYOUT_OPEN
from billing.audit import COMMISSIONS, Finding, findings

COMMISSION_FACTS = "SELECT deposit_id, account_id, deposit_micros FROM affiliates_commission"
"""What each commission says of its deposit, for the audit of the room that has the deposits."""

_COMMISSIONS = f"""
WITH moved AS (
    SELECT split_part(reference, ':', 2) AS deposit, account_id,
        SUM(pending)::bigint AS pending, SUM(available)::bigint AS available
    FROM ({COMMISSIONS}) transfer WHERE reference LIKE 'commission:%%'
    GROUP BY 1, 2
),
commission AS (
    SELECT c.*, c.deposit_id::text AS deposit, a.account_id AS owner_id,
        c.amount_micros - c.clawed_back_micros AS earned,
        c.amount_micros - (c.deposit_micros - c.reversed_micros) * c.basis_points / 10000 AS taken_back,
        COALESCE(heard.clawed_back, 0) AS heard_clawed_back
    FROM affiliates_commission c JOIN affiliates_affiliate a ON a.id = c.affiliate_id
    LEFT JOIN (
        SELECT commission_id, SUM(clawed_back_micros)::bigint AS clawed_back
        FROM affiliates_commissionreversal GROUP BY 1
    ) heard ON heard.commission_id = c.deposit_id
)
SELECT CASE WHEN c.deposit_id IS NOT NULL THEN 'com' END, c.deposit_id,
    CASE WHEN c.deposit_id IS NULL THEN 'commission:' || m.deposit ELSE c.status END,
    figure.name, figure.expected, figure.found
FROM commission c FULL JOIN moved m ON m.deposit = c.deposit AND m.account_id = c.owner_id
CROSS JOIN LATERAL (VALUES
    ('pending', CASE WHEN c.status = %(available)s::text THEN 0 ELSE c.earned END, COALESCE(m.pending, 0), true),
    ('available', CASE WHEN c.status = %(available)s::text THEN c.earned ELSE 0 END, COALESCE(m.available, 0), true),
    ('amount', c.deposit_micros * c.basis_points / 10000, c.amount_micros, c.deposit_id IS NOT NULL),
    ('taken_back', c.taken_back, c.clawed_back_micros, c.deposit_id IS NOT NULL),
    ('reversals', c.clawed_back_micros, c.heard_clawed_back, c.deposit_id IS NOT NULL)
) figure (name, expected, found, applies)
WHERE figure.applies AND figure.expected IS DISTINCT FROM figure.found
ORDER BY COALESCE(c.deposit, m.deposit), 4
"""  # noqa: S608 - constants

_PAYOUTS = f"""
WITH moved AS (
    SELECT split_part(reference, ':', 2) AS payout, account_id, SUM(reserved)::bigint AS reserved,
        SUM(amount) FILTER (WHERE kind = 'reservation')::bigint AS asked,
        COALESCE(SUM(amount) FILTER (WHERE kind = 'payout'), 0)::bigint AS paid,
        COALESCE(SUM(amount) FILTER (WHERE kind = 'return'), 0)::bigint AS returned
    FROM ({COMMISSIONS}) transfer WHERE reference LIKE 'payout:%%'
    GROUP BY 1, 2
),
request AS (
    SELECT p.id, p.id::text AS payout, a.account_id, p.amount_micros, p.status,
        p.status = ANY(%(open)s::text[]) AS open, p.status = %(paid)s::text AS paid
    FROM affiliates_payoutrequest p JOIN affiliates_affiliate a ON a.id = p.affiliate_id
)
SELECT CASE WHEN r.id IS NOT NULL THEN 'pay' END, r.id,
    CASE WHEN r.id IS NULL THEN 'payout:' || m.payout ELSE r.status END, figure.name, figure.expected, figure.found
FROM request r FULL JOIN moved m ON m.payout = r.payout AND m.account_id = r.account_id
CROSS JOIN LATERAL (VALUES
    ('asked', r.amount_micros, m.asked, true),
    ('reserved', CASE WHEN r.open THEN r.amount_micros ELSE 0 END, m.reserved, r.id IS NOT NULL),
    ('paid', CASE WHEN r.paid THEN r.amount_micros ELSE 0 END, m.paid, r.id IS NOT NULL),
    ('returned', CASE WHEN r.open OR r.paid THEN 0 ELSE r.amount_micros END, m.returned, r.id IS NOT NULL)
) figure (name, expected, found, applies)
WHERE figure.applies AND figure.expected IS DISTINCT FROM figure.found
ORDER BY COALESCE(r.payout, m.payout), 4
"""  # noqa: S608 - constants

_FORFEITED = f"""
WITH transfer AS MATERIALIZED ({COMMISSIONS}),
kept AS (
    SELECT account_id, SUM(pending)::bigint AS pending, SUM(available)::bigint AS available FROM transfer GROUP BY 1
)
SELECT CASE WHEN a.id IS NOT NULL THEN 'aff' END, a.id, t.reference, figure.name, figure.expected, figure.found
FROM transfer t JOIN kept USING (account_id)
LEFT JOIN affiliates_affiliate a ON a.id::text = split_part(t.reference, ':', 2) AND a.account_id = t.account_id
LEFT JOIN accounts_user u ON u.id = a.account_id
CROSS JOIN LATERAL (VALUES
    ('deleted', 1, (u.deleted_at IS NOT NULL)::int), ('pending', 0, kept.pending), ('available', 0, kept.available)
) figure (name, expected, found)
WHERE t.reference LIKE 'affiliate:%%:forfeited:%%' AND figure.expected IS DISTINCT FROM figure.found
ORDER BY 3, 4
"""  # noqa: S608 - constants

_STRAYS = f"""
SELECT NULL, NULL::uuid, reference, kind, NULL::bigint, amount FROM ({COMMISSIONS}) transfer
WHERE reference NOT LIKE 'commission:%%' AND reference NOT LIKE 'payout:%%'
    AND reference NOT LIKE 'affiliate:%%:forfeited:%%'
ORDER BY 3
"""  # noqa: S608 - constants


def differences() -> list[Finding]:
    """Commissions and payouts whose transfers differ from their rows, commission given up by accounts that are not
    deleted or have some left, and affiliates' transfers that have no row."""
    return [
        *findings("affiliates", _COMMISSIONS, {"available": AVAILABLE}),
        *findings("affiliates", _PAYOUTS, {"open": list(PAYOUT_OPEN), "paid": PAID}),
        *findings("affiliates", _FORFEITED),
        *findings("affiliates", _STRAYS),
    ]
