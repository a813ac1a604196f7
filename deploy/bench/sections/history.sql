-- Jobs number %(first)s to %(last)s - 1 as they lie in the tables once completed: attempt, three events, hold, capture.
-- Their ids and times lie in the last two months, in order, before every job of the run.
WITH price AS (
    SELECT id FROM billing_priceversion WHERE task = 'diagnostic.noop' LIMIT 1
), customer AS (
    SELECT balance.owner_id, row_number() OVER (ORDER BY balance.owner_id) - 1 AS number,
        available.id AS available_id, held.id AS held_id, revenue.id AS revenue_id
    FROM billing_balance balance
    JOIN billing_ledgeraccount available
        ON available.owner_id = balance.owner_id AND available.kind = 'available' AND available.bucket = balance.bucket
    JOIN billing_ledgeraccount held
        ON held.owner_id = balance.owner_id AND held.kind = 'held' AND held.bucket = balance.bucket
    JOIN billing_ledgeraccount revenue ON revenue.owner_id IS NULL AND revenue.kind = 'revenue'
    JOIN accounts_user account ON account.id = balance.owner_id AND account.email LIKE 'bench%%'
), planned AS MATERIALIZED (
    SELECT numbered.n, customer.*, now() - interval '60 days' + numbered.n * interval '4 seconds' AS at,
        uuidv7(interval '-60 days' + numbered.n * interval '4 seconds') AS job_id,
        uuidv7(interval '-60 days' + numbered.n * interval '4 seconds') AS attempt_id
    FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) AS numbered (n)
    JOIN customer ON customer.number = numbered.n %% %(accounts)s
), job AS (
    INSERT INTO media_job (
        id, account_id, task, status, effective_input, params, adjustments, seed, callback_url, price_version_id,
        price_micros, pricing_meta, estimated_seconds, duration_meta, run_limit_seconds, has_inputs, staged_input_count,
        created_at, updated_at, started_at, finished_at, outputs, result, duration_ms, error_code, error_message
    )
    SELECT job_id, owner_id, 'diagnostic.noop', 'completed', '{}', '{}', '[]', n, '', price.id,
        1, jsonb_build_object(
            'formula', 'noop.v1', 'priceVersion', price.id, 'coefficients', '{"flat": 1}'::jsonb, 'units', '{}'::jsonb
        ),
        0.1, '{"basis": "formula", "runSeconds": 0.1}', 600, false, 0, at, at + interval '1 second', at + interval '500 ms', at + interval '1 second',
        jsonb_build_array(jsonb_build_object(
            'name', 'output_0001.bin', 'key', 'users/' || owner_id || '/jobs/' || job_id || '/output_0001.bin',
            'mediaType', 'application/octet-stream', 'bytes', 1, 'sha256', repeat('0', 64),
            'width', NULL, 'height', NULL, 'seconds', NULL
        )),
        '{}', 2, '', ''
    FROM planned CROSS JOIN price
), attempt AS (
    INSERT INTO media_attempt (
        id, job_id, account_id, number, task, pool, priority, status, created_at, published_at, node_id, delivery_id,
        claimed_at, fraction, phase, finished_at, result_sha256, reaper_failures, error_code, error_message
    )
    SELECT attempt_id, job_id, owner_id, 1, 'diagnostic.noop', 'diagnostic', 0, 'succeeded', at, at, 'local-1',
        gen_random_uuid(), at + interval '500 ms', 1, '', at + interval '1 second', repeat('0', 64), 0, '', ''
    FROM planned
), event AS (
    INSERT INTO media_jobevent (job_id, seq, type, data, at)
    SELECT job_id, seq, type, '{"attempt": 1}', at
    FROM planned CROSS JOIN (VALUES (1, 'queued'), (2, 'started'), (3, 'completed')) step (seq, type)
)
INSERT INTO billing_transfer (id, reference, leg, kind, debit_id, credit_id, amount, available_after, reason, created_at)
SELECT uuidv7(interval '-60 days' + n * interval '4 seconds'), 'job:' || job_id || ending, 0, kind,
    CASE kind WHEN 'hold' THEN available_id ELSE held_id END,
    CASE kind WHEN 'hold' THEN held_id ELSE revenue_id END,
    1, 1000000000000, '', at
FROM planned CROSS JOIN (VALUES (':hold', 'hold'), (':settle', 'capture')) transfer (ending, kind)
