"""Keep only named devices in the index by device: few events name one."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outages", "0018_figures_and_names")]

    operations = [
        migrations.RemoveIndex(model_name="sourceevent", name="event_device"),
        migrations.AddIndex(
            model_name="sourceevent",
            index=models.Index(
                fields=["device_code"],
                name="event_device",
                opclasses=["varchar_pattern_ops"],
                condition=models.Q(("device_code", ""), _negated=True),
            ),
        ),
    ]
