"""Find what explains a few events by an index each, and keep none for links that few have."""

import django.db.models.deletion
from django.db import migrations, models

OPEN = models.Q(
    ("merged_into", None), ("status__in", ("detected", "confirmed", "in_progress"))
)
AT_METER = models.Q(
    ("merged_into", None),
    ("place_kind", "service_point"),
    ("status__in", ("detected", "confirmed", "in_progress")),
)


def link(name, related_name):
    return migrations.AlterField(
        model_name="outage",
        name=name,
        field=models.ForeignKey(
            "outages.outage",
            null=True,
            db_index=False,
            on_delete=django.db.models.deletion.PROTECT,
            related_name=related_name,
        ),
    )


def rare(name):
    return migrations.AddIndex(
        model_name="outage",
        index=models.Index(
            fields=[name],
            name=f"outage_{name}",
            condition=models.Q((f"{name}__isnull", False)),
        ),
    )


class Migration(migrations.Migration):
    dependencies = [("outages", "0020_outages_change_in_place")]

    operations = [
        link("merged_into", "merged"),
        link("parent", "nested"),
        link("split_from", "splits"),
        rare("merged_into"),
        rare("parent"),
        rare("split_from"),
        migrations.AddIndex(
            model_name="outage",
            index=models.Index(
                fields=["edge_number"], name="outage_open_device", condition=OPEN
            ),
        ),
        migrations.AddIndex(
            model_name="outage",
            index=models.Index(
                fields=["device_code"], name="outage_open_meter", condition=AT_METER
            ),
        ),
        migrations.AddIndex(
            model_name="outage",
            index=models.Index(
                fields=["transformer_number", "first_detected_at"],
                name="outage_open_beside",
                condition=AT_METER,
            ),
        ),
    ]
