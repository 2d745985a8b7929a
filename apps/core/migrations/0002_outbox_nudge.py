"""Nudge the relay once for each statement that publishes; the nudge leaves at commit."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION core_outbox_nudge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('oms_outbox', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER outbox_nudge AFTER INSERT ON core_outboxrow
    FOR EACH STATEMENT EXECUTE FUNCTION core_outbox_nudge();
"""
BACKWARD = """
DROP TRIGGER outbox_nudge ON core_outboxrow;
DROP FUNCTION core_outbox_nudge();
"""


class Migration(migrations.Migration):
    """Adds the trigger."""

    dependencies = [("core", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
