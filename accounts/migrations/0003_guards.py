"""The audit log of credentials, guarded by the database itself: rows are inserted and nothing else."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION accounts_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'accounts_securityevent_append_only', TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER accounts_securityevent_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON accounts_securityevent
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse();
"""

ALLOW = """
DROP TRIGGER accounts_securityevent_refuse ON accounts_securityevent;
DROP FUNCTION accounts_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_people")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
