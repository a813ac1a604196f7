"""Caps, takedowns, and files that go before their time."""

import core.clock
import core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


REFUSE = """
CREATE FUNCTION media_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'media_takedown_append_only', TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER media_takedown_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON media_takedown
    FOR EACH STATEMENT EXECUTE FUNCTION media_refuse();
"""

ALLOW = """
DROP TRIGGER media_takedown_refuse ON media_takedown;
DROP FUNCTION media_refuse();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("media", "0003_settlement_run_times"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="TakeDown",
            fields=[
                ("id", models.UUIDField(default=core.ids.new, editable=False, primary_key=True, serialize=False)),
                ("reason", models.TextField()),
                ("at", models.DateTimeField(default=core.clock.now, editable=False)),
            ],
        ),
        migrations.AddField(
            model_name="job",
            name="sweep_asked_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="job",
            name="taken_down_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("status__in", ("queued", "processing"))),
                fields=["account"],
                name="media_job_open_of_account",
            ),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("sweep_asked_at__isnull", False), ("swept_at", None)),
                fields=["sweep_asked_at"],
                name="media_job_sweep_asked",
            ),
        ),
        migrations.AddField(
            model_name="takedown",
            name="actor",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="takedown",
            name="job",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="take_down", to="media.job"
            ),
        ),
        migrations.RunSQL(REFUSE, ALLOW),
    ]
