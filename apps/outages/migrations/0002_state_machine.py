"""What the database itself refuses and finds: forbidden steps, outages near a point."""

from django.db import migrations

STEPS = """
CREATE FUNCTION outages_check_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ranks CONSTANT jsonb :=
        '{"detected": 0, "confirmed": 1, "in_progress": 2, "restored": 3, "cancelled": 4}';
BEGIN
    IF OLD.status IN ('restored', 'cancelled') THEN
        RAISE EXCEPTION 'outage % is %, that is final', OLD.id, OLD.status
            USING ERRCODE = 'check_violation';
    END IF;
    IF (ranks ->> NEW.status)::int <= (ranks ->> OLD.status)::int THEN
        RAISE EXCEPTION 'outage % cannot go from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER outages_step BEFORE UPDATE OF status ON outages_outage
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION outages_check_step();
ALTER TABLE outages_outage ENABLE ALWAYS TRIGGER outages_step;
"""
NO_STEPS = """
DROP TRIGGER outages_step ON outages_outage;
DROP FUNCTION outages_check_step();
"""
NEAR = """
CREATE INDEX outage_open_near ON outages_outage USING gist (point(longitude, latitude))
    WHERE merged_into_id IS NULL AND status IN ('detected', 'confirmed', 'in_progress')
"""


class Migration(migrations.Migration):
    dependencies = [("outages", "0001_initial")]

    operations = [
        migrations.RunSQL(STEPS, NO_STEPS),
        migrations.RunSQL(NEAR, "DROP INDEX outage_open_near"),
    ]
