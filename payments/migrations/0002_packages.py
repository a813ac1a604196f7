"""The packages that are on sale from the start; operators edit them."""

from django.db import migrations

PACKAGES = [("starter", "Starter", 500), ("creator", "Creator", 2_000), ("studio", "Studio", 5_000), ("scale", "Scale", 20_000)]


def publish(apps, schema_editor):
    package = apps.get_model("payments", "Package")
    for position, (code, name, usd_cents) in enumerate(PACKAGES, start=1):
        package.objects.get_or_create(code=code, defaults={"name": name, "usd_cents": usd_cents, "position": position})


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]

    operations = [migrations.RunPython(publish, migrations.RunPython.noop)]
