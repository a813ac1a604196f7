"""A statement of one rare kind finds its lines without reading the holds between them."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the indexes are built while money moves

    dependencies = [("billing", "0005_commission_guards")]

    operations = [
        AddIndexConcurrently(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("kind__in", ("reversal", "adjustment"))),
                fields=["debit", "id"],
                name="billing_transfer_rare_debit",
            ),
        ),
        AddIndexConcurrently(
            model_name="transfer",
            index=models.Index(
                condition=models.Q(("kind__in", ("deposit", "adjustment"))),
                fields=["credit", "id"],
                name="billing_transfer_rare_credit",
            ),
        ),
    ]
