"""Check which outage events and interruptions name once a statement, not once a row.

The promise is that of a foreign key, kept by the same locks: who names an outage keeps it from
being deleted until the end of the transaction, and who deletes one sees who names it.
"""

import django.db.models.deletion
from django.db import migrations, models

CHECK = """
CREATE FUNCTION outages_check_named() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named uuid;
BEGIN
    FOR named IN
        SELECT DISTINCT outage_id FROM fresh WHERE outage_id IS NOT NULL ORDER BY outage_id
    LOOP
        PERFORM FROM outages_outage WHERE id = named FOR KEY SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION '% names the outage %, which does not exist', TG_TABLE_NAME, named
                USING ERRCODE = 'foreign_key_violation';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE FUNCTION outages_check_unnamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'outages are deleted only where what others committed is seen'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    IF EXISTS (SELECT FROM outages_sourceevent WHERE outage_id = OLD.id)
            OR EXISTS (SELECT FROM outages_interruption WHERE outage_id = OLD.id) THEN
        RAISE EXCEPTION 'events or interruptions name the outage %', OLD.id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER outages_unnamed AFTER DELETE ON outages_outage
    FOR EACH ROW EXECUTE FUNCTION outages_check_unnamed();
CREATE TRIGGER outages_unnamed_before AFTER UPDATE OF id ON outages_outage
    FOR EACH ROW WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION outages_check_unnamed();
"""
NO_CHECK = """
DROP TRIGGER outages_unnamed_before ON outages_outage;
DROP TRIGGER outages_unnamed ON outages_outage;
DROP FUNCTION outages_check_unnamed();
DROP FUNCTION outages_check_named();
"""
OF_TABLE = """
CREATE TRIGGER {table}_named_at_first AFTER INSERT ON {table}
    REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION outages_check_named();
CREATE TRIGGER {table}_named_later AFTER UPDATE ON {table}
    REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION outages_check_named();
"""
NOT_OF_TABLE = """
DROP TRIGGER {table}_named_later ON {table};
DROP TRIGGER {table}_named_at_first ON {table};
"""


def _of(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(OF_TABLE.format(table=table), NOT_OF_TABLE.format(table=table))


class Migration(migrations.Migration):
    dependencies = [("outages", "0021_what_explains_few_events")]

    operations = [
        migrations.RunSQL(CHECK, NO_CHECK),
        _of("outages_sourceevent"),
        _of("outages_interruption"),
        migrations.AlterField(
            model_name="sourceevent",
            name="outage",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="outages.outage",
            ),
        ),
        migrations.AlterField(
            model_name="interruption",
            name="outage",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="interruptions",
                to="outages.outage",
            ),
        ),
    ]
