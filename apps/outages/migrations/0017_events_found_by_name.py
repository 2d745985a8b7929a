"""Find events by what their identity, meter or device begins with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outages", "0016_events_counted_by_source")]

    operations = [
        migrations.AddIndex(
            model_name="sourceevent",
            index=models.Index(
                fields=["meter_code"],
                name="event_meter",
                opclasses=["varchar_pattern_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="sourceevent",
            index=models.Index(
                fields=["device_code"],
                name="event_device",
                opclasses=["varchar_pattern_ops"],
            ),
        ),
        migrations.RemoveConstraint(model_name="sourceevent", name="event_identity"),
        migrations.AddConstraint(
            model_name="sourceevent",
            constraint=models.UniqueConstraint(
                fields=["source_type", "source_event_id"],
                name="event_identity",
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops"],
            ),
        ),
    ]
