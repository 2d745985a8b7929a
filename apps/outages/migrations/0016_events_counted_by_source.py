"""Count the events of a time by source from the index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outages", "0015_page_indexes")]

    operations = [
        migrations.AddIndex(
            model_name="sourceevent",
            index=models.Index(
                fields=["accepted_at", "id"],
                include=["source_type"],
                name="event_accepted_source",
            ),
        ),
        migrations.RemoveIndex(model_name="sourceevent", name="event_accepted_order"),
    ]
