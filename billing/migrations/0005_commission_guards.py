"""Transfers move affiliates' balances too, and nothing else does."""

from importlib import import_module

from django.db import migrations

_guards = import_module("billing.migrations.0002_guards")

# An affiliate's three columns stand in a table of their own, since their available may be below zero. What was said
# in 0002 about the two moments of an insert holds here, too.
MOVE = """
CREATE OR REPLACE FUNCTION billing_move_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    debit billing_ledgeraccount;
    credit billing_ledgeraccount;
    customer uuid;
    in_bucket text;
    available_change bigint;
    available_now bigint;
BEGIN
    SELECT * INTO debit FROM billing_ledgeraccount WHERE id = NEW.debit_id;
    SELECT * INTO credit FROM billing_ledgeraccount WHERE id = NEW.credit_id;
    IF debit.id IS NULL OR credit.id IS NULL THEN
        RAISE EXCEPTION 'transfer % names a ledger account that does not exist', NEW.reference
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'billing_transfer_known_accounts';
    END IF;
    IF (debit.owner_id, debit.bucket) IS DISTINCT FROM (credit.owner_id, credit.bucket)
        AND debit.owner_id IS NOT NULL AND credit.owner_id IS NOT NULL
    THEN
        RAISE EXCEPTION 'transfer % touches two balances', NEW.reference
            USING ERRCODE = 'check_violation', CONSTRAINT = 'billing_transfer_one_balance';
    END IF;

    customer := COALESCE(debit.owner_id, credit.owner_id);
    in_bucket := CASE WHEN debit.owner_id IS NULL THEN credit.bucket ELSE debit.bucket END;
    available_change := NEW.amount * ((credit.kind = 'available')::int - (debit.kind = 'available')::int);

    IF TG_WHEN = 'BEFORE' THEN
        NEW.available_after := NULL;
        IF customer IS NOT NULL THEN
            IF in_bucket = 'affiliate' THEN
                SELECT available + available_change INTO NEW.available_after
                FROM billing_commissionbalance WHERE owner_id = customer FOR NO KEY UPDATE;
            ELSE
                SELECT available + available_change INTO NEW.available_after
                FROM billing_balance WHERE owner_id = customer AND bucket = in_bucket FOR NO KEY UPDATE;
            END IF;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'transfer % touches an account without a balance', NEW.reference
                    USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'billing_transfer_known_accounts';
            END IF;
        END IF;
        NEW.id := uuidv7();
        NEW.created_at := clock_timestamp();
        RETURN NEW;
    END IF;

    IF customer IS NOT NULL THEN
        IF in_bucket = 'affiliate' THEN
            UPDATE billing_commissionbalance SET
                available = available + available_change,
                pending = pending + NEW.amount * ((credit.kind = 'pending')::int - (debit.kind = 'pending')::int),
                reserved = reserved + NEW.amount * ((credit.kind = 'reserved')::int - (debit.kind = 'reserved')::int)
            WHERE owner_id = customer
            RETURNING available INTO available_now;
        ELSE
            UPDATE billing_balance SET
                available = available + available_change,
                held = held + NEW.amount * ((credit.kind = 'held')::int - (debit.kind = 'held')::int),
                receivable = receivable
                    + NEW.amount * ((debit.kind = 'receivable')::int - (credit.kind = 'receivable')::int)
            WHERE owner_id = customer AND bucket = in_bucket
            RETURNING available INTO available_now;
        END IF;
        IF available_now IS DISTINCT FROM NEW.available_after THEN
            RAISE EXCEPTION 'two legs of % change the available balance in one statement', NEW.reference
                USING ERRCODE = 'check_violation', CONSTRAINT = 'billing_transfer_available_after';
        END IF;
    END IF;
    RETURN NULL;
END
$$;
"""

REFUSE = """
CREATE TRIGGER billing_commissionbalance_refuse_insert BEFORE INSERT ON billing_commissionbalance
    FOR EACH ROW WHEN (NEW.available <> 0 OR NEW.pending <> 0 OR NEW.reserved <> 0)
    EXECUTE FUNCTION billing_refuse('billing_balance_moved_by_transfers');
CREATE TRIGGER billing_commissionbalance_refuse_update BEFORE UPDATE ON billing_commissionbalance
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION billing_refuse('billing_balance_moved_by_transfers');
CREATE TRIGGER billing_commissionbalance_refuse_delete BEFORE DELETE OR TRUNCATE ON billing_commissionbalance
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse('billing_balance_moved_by_transfers');
"""

ALLOW = """
DROP TRIGGER billing_commissionbalance_refuse_delete ON billing_commissionbalance;
DROP TRIGGER billing_commissionbalance_refuse_update ON billing_commissionbalance;
DROP TRIGGER billing_commissionbalance_refuse_insert ON billing_commissionbalance;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0004_commissions")]

    operations = [
        migrations.RunSQL(MOVE, _guards.MOVE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").partition("CREATE TRIGGER")[0]),
        migrations.RunSQL(REFUSE, ALLOW),
    ]
