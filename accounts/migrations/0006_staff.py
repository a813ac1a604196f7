"""What may happen when staff sign in."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_balance_notices'),
    ]

    operations = [
        migrations.AlterField(
            model_name='securityevent',
            name='kind',
            field=models.TextField(choices=[('key_created', 'key_created'), ('key_revoked', 'key_revoked'), ('key_used_from_new_address', 'key_used_from_new_address'), ('signed_in', 'signed_in'), ('signed_out', 'signed_out'), ('device_approved', 'device_approved'), ('device_denied', 'device_denied'), ('account_suspended', 'account_suspended'), ('account_reinstated', 'account_reinstated'), ('account_deleted', 'account_deleted'), ('staff_sign_in_failed', 'staff_sign_in_failed'), ('second_factor_enrolled', 'second_factor_enrolled'), ('recovery_code_used', 'recovery_code_used'), ('second_factor_reset', 'second_factor_reset')]),
        ),
    ]
