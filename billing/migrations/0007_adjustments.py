"""Adjustments by hand: what was asked for never changes, a decision is final, and no row goes."""

import core.clock
import core.ids
import django.db.models.deletion
import django.db.models.functions.math
from django.conf import settings
from django.db import migrations, models


GUARD = """
CREATE FUNCTION billing_guard_adjustment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'requested'
        AND (OLD.id, OLD.account_id, OLD.amount_micros, OLD.source, OLD.reason, OLD.counted_micros,
             OLD.threshold_micros, OLD.requested_by_id, OLD.requested_at)
        = (NEW.id, NEW.account_id, NEW.amount_micros, NEW.source, NEW.reason, NEW.counted_micros,
           NEW.threshold_micros, NEW.requested_by_id, NEW.requested_at)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'billing_adjustment_final', TABLE = TG_TABLE_NAME;
END
$$;

CREATE TRIGGER billing_adjustment_final BEFORE UPDATE OR DELETE ON billing_adjustmentrequest
    FOR EACH ROW EXECUTE FUNCTION billing_guard_adjustment();
"""

UNGUARD = """
DROP TRIGGER billing_adjustment_final ON billing_adjustmentrequest;
DROP FUNCTION billing_guard_adjustment();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0006_statement_kinds'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AdjustmentRequest',
            fields=[
                ('id', models.UUIDField(default=core.ids.new, editable=False, primary_key=True, serialize=False)),
                ('amount_micros', models.BigIntegerField()),
                ('source', models.TextField()),
                ('reason', models.TextField()),
                ('status', models.TextField(default='requested')),
                ('counted_micros', models.BigIntegerField()),
                ('threshold_micros', models.BigIntegerField()),
                ('requested_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_note', models.TextField(blank=True, default='')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['requested_by', 'account', 'requested_at'], name='billing_adjustment_requester'), models.Index(condition=models.Q(('status', 'requested')), fields=['requested_at'], name='billing_adjustment_waiting')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ('requested', 'posted', 'rejected'))), name='billing_adjustment_status'), models.CheckConstraint(condition=models.Q(('source__in', ('adjustment', 'promotion'))), name='billing_adjustment_source'), models.CheckConstraint(condition=models.Q(('amount_micros', 0), _negated=True), name='billing_adjustment_amount'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='billing_adjustment_reason'), models.CheckConstraint(condition=models.Q(('counted_micros__gte', django.db.models.functions.math.Abs(models.F('amount_micros')))), name='billing_adjustment_counted'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('status', 'requested')), models.Q(models.Q(('status', 'requested'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='billing_adjustment_decided'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'posted'), _negated=True), ('counted_micros__lt', models.F('threshold_micros')), models.Q(('decided_by', models.F('requested_by')), _negated=True), _connector='OR'), name='billing_adjustment_two_people')],
            },
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
