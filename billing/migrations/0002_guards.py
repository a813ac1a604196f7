"""The ledger guarded by the database itself: transfers move balances, and nothing else does or undoes it."""

from django.db import migrations

# One function for both moments of a transfer's insert.
#
# BEFORE: lock the balance row, note what will be available, draw id and time under that lock.
# AFTER: move the money. Not earlier: a BEFORE trigger fires even for a row that ON CONFLICT DO NOTHING then
# skips, and would have moved money for a transfer that was never written.
#
# AFTER triggers wait for the end of the statement, so of several legs in ONE statement only one may change
# `available` (the others could not know what it leaves); the last check refuses a statement that breaks this.
MOVE = """
CREATE FUNCTION billing_move_balance() RETURNS trigger LANGUAGE plpgsql AS $$
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
            SELECT available + available_change INTO NEW.available_after
            FROM billing_balance WHERE owner_id = customer AND bucket = in_bucket FOR NO KEY UPDATE;
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
        UPDATE billing_balance SET
            available = available + available_change,
            held = held + NEW.amount * ((credit.kind = 'held')::int - (debit.kind = 'held')::int),
            receivable = receivable + NEW.amount * ((debit.kind = 'receivable')::int - (credit.kind = 'receivable')::int)
        WHERE owner_id = customer AND bucket = in_bucket
        RETURNING available INTO available_now;
        IF available_now IS DISTINCT FROM NEW.available_after THEN
            RAISE EXCEPTION 'two legs of % change the available balance in one statement', NEW.reference
                USING ERRCODE = 'check_violation', CONSTRAINT = 'billing_transfer_available_after';
        END IF;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER billing_transfer_before BEFORE INSERT ON billing_transfer
    FOR EACH ROW EXECUTE FUNCTION billing_move_balance();
CREATE TRIGGER billing_transfer_after AFTER INSERT ON billing_transfer
    FOR EACH ROW EXECUTE FUNCTION billing_move_balance();
"""

UNMOVE = """
DROP TRIGGER billing_transfer_after ON billing_transfer;
DROP TRIGGER billing_transfer_before ON billing_transfer;
DROP FUNCTION billing_move_balance();
"""

# The argument is the name the refusal carries, as a constraint's name would be. The balance's triggers look at
# the depth: 0 is a statement somebody sent, 1 is the UPDATE inside billing_move_balance().
REFUSE = """
CREATE FUNCTION billing_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER billing_transfer_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_transfer
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse('billing_transfer_append_only');

CREATE TRIGGER billing_ledgeraccount_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_ledgeraccount
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse('billing_ledgeraccount_immutable');

CREATE TRIGGER billing_balance_refuse_insert BEFORE INSERT ON billing_balance
    FOR EACH ROW WHEN (NEW.available <> 0 OR NEW.held <> 0 OR NEW.receivable <> 0)
    EXECUTE FUNCTION billing_refuse('billing_balance_moved_by_transfers');
CREATE TRIGGER billing_balance_refuse_update BEFORE UPDATE ON billing_balance
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION billing_refuse('billing_balance_moved_by_transfers');
CREATE TRIGGER billing_balance_refuse_delete BEFORE DELETE OR TRUNCATE ON billing_balance
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse('billing_balance_moved_by_transfers');

CREATE TRIGGER billing_priceversion_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON billing_priceversion
    FOR EACH STATEMENT EXECUTE FUNCTION billing_refuse('billing_priceversion_immutable');
"""

ALLOW = """
DROP TRIGGER billing_priceversion_refuse ON billing_priceversion;
DROP TRIGGER billing_balance_refuse_delete ON billing_balance;
DROP TRIGGER billing_balance_refuse_update ON billing_balance;
DROP TRIGGER billing_balance_refuse_insert ON billing_balance;
DROP TRIGGER billing_ledgeraccount_refuse ON billing_ledgeraccount;
DROP TRIGGER billing_transfer_refuse ON billing_transfer;
DROP FUNCTION billing_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [
        migrations.RunSQL(MOVE, UNMOVE),
        migrations.RunSQL(REFUSE, ALLOW),
        # Balance rows are small and change all the time: with room left on each page a change stays on its page
        # and touches no index.
        migrations.RunSQL(
            "ALTER TABLE billing_balance SET (fillfactor = 50)", "ALTER TABLE billing_balance RESET (fillfactor)"
        ),
    ]
