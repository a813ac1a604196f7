"""Decisions about affiliates and payouts are only ever inserted; the database itself refuses anything else."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION affiliates_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'affiliates_decision_append_only', TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER affiliates_decision_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON affiliates_decision
    FOR EACH STATEMENT EXECUTE FUNCTION affiliates_refuse();
"""

ALLOW = """
DROP TRIGGER affiliates_decision_refuse ON affiliates_decision;
DROP FUNCTION affiliates_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("affiliates", "0001_initial")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
