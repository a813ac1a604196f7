-- Rounds number %(first)s to %(last)s - 1 of one account: a job's hold, capture and release; with every thousandth a
-- deposit. Their ids and times lie in the last two months, in order, before every transfer of the run.
WITH own AS (
    SELECT available.id AS available, held.id AS held, revenue.id AS revenue, cash.id AS cash
    FROM billing_ledgeraccount available
    JOIN billing_ledgeraccount held ON held.owner_id = available.owner_id AND held.kind = 'held'
    JOIN billing_ledgeraccount revenue ON revenue.owner_id IS NULL AND revenue.kind = 'revenue'
    JOIN billing_ledgeraccount cash ON cash.owner_id IS NULL AND cash.kind = 'cash:bench'
    WHERE available.owner_id = %(account)s AND available.kind = 'available'
), round AS MATERIALIZED (
    SELECT n, gen_random_uuid() AS subject, interval '-60 days' + n * interval '15 seconds' AS shift
    FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) AS numbered (n)
)
INSERT INTO billing_transfer (id, reference, leg, kind, debit_id, credit_id, amount, available_after, reason, created_at)
SELECT uuidv7(shift), reference, leg, kind, debit, credit, amount, 1000000000000, '', now() + shift
FROM round CROSS JOIN own CROSS JOIN LATERAL (VALUES
    ('deposit:' || subject || ':paid', 0, 'deposit', cash, available, 5000000, n %% 1000 = 0),
    ('job:' || subject || ':hold', 0, 'hold', available, held, 40000, true),
    ('job:' || subject || ':settle', 0, 'capture', held, revenue, 30000, true),
    ('job:' || subject || ':settle', 1, 'release', held, available, 10000, true)
) line (reference, leg, kind, debit, credit, amount, written)
WHERE written
