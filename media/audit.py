"""Jobs against the ledger: each holds its price while it is open, and was charged what its row says once it is not."""

from billing.audit import HOLDS, Finding, findings
from media.transitions import COMPLETED, TERMINAL

_JOBS = f"""
WITH hold AS MATERIALIZED ({HOLDS}),
job AS (
    SELECT 'job:' || id AS base, id, account_id, price_micros, status,
        status = ANY(%(terminal)s::text[]) AS ended,
        CASE WHEN status = %(completed)s::text THEN COALESCE(charged_micros, price_micros) ELSE 0 END AS charged
    FROM media_job
)
SELECT CASE WHEN job.id IS NOT NULL THEN 'job' END, job.id,
    CASE WHEN job.id IS NULL THEN hold.base ELSE job.status END, figure.name, figure.expected, figure.found
FROM job FULL JOIN (SELECT * FROM hold WHERE base LIKE 'job:%%') hold USING (base)
CROSS JOIN LATERAL (VALUES
    ('hold', job.price_micros::text, hold.amount::text, true),
    ('hold_account', job.account_id::text, hold.account_id::text, job.id IS NOT NULL AND hold.base IS NOT NULL),
    ('settled', job.ended::text, hold.settled::text, job.id IS NOT NULL AND hold.base IS NOT NULL),
    ('charged', job.charged::text, hold.captured::text, job.ended AND hold.settled)
) figure (name, expected, found, applies)
WHERE figure.applies AND figure.expected IS DISTINCT FROM figure.found
ORDER BY base, 4
"""  # noqa: S608 - constants


def differences() -> list[Finding]:
    """Jobs without their hold, with a wrong, missing or additional settlement, and jobs' holds without a job."""
    return findings("media", _JOBS, {"terminal": list(TERMINAL), "completed": COMPLETED})
