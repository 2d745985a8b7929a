"""Drop the indexes on `outage` that a wider index begins with, or repeats."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("outages", "0011_verification")]

    operations = [
        migrations.AlterField(
            model_name="interruption",
            name="outage",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="interruptions",
                to="outages.outage",
            ),
        ),
        migrations.AlterField(
            model_name="sourceevent",
            name="outage",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="outages.outage",
            ),
        ),
        migrations.AlterField(
            model_name="timelineentry",
            name="outage",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="timeline",
                to="outages.outage",
            ),
        ),
    ]
