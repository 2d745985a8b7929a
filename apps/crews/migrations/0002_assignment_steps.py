"""The database refuses steps backwards and a second time of arrival, whoever writes."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION crews_check_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    steps constant text[] := ARRAY['assigned', 'en_route', 'on_site', 'work_completed'];
BEGIN
    IF OLD.status IN ('work_completed', 'cancelled') AND NEW.status <> OLD.status THEN
        RAISE EXCEPTION 'The assignment % is already %; that is final.', OLD.id, OLD.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'assignment_final';
    END IF;
    IF NEW.status <> OLD.status AND NEW.status <> 'cancelled'
       AND array_position(steps, NEW.status::text) <= array_position(steps, OLD.status::text)
    THEN
        RAISE EXCEPTION 'The assignment % cannot go from % to %.', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'assignment_forward';
    END IF;
    IF (OLD.en_route_at IS NOT NULL AND NEW.en_route_at IS DISTINCT FROM OLD.en_route_at)
       OR (OLD.on_site_at IS NOT NULL AND NEW.on_site_at IS DISTINCT FROM OLD.on_site_at)
       OR (OLD.completed_at IS NOT NULL AND NEW.completed_at IS DISTINCT FROM OLD.completed_at)
       OR (OLD.cancelled_at IS NOT NULL AND NEW.cancelled_at IS DISTINCT FROM OLD.cancelled_at)
    THEN
        RAISE EXCEPTION 'The times of assignment % are stamped once.', OLD.id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'assignment_stamped_once';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER crews_assignment_step BEFORE UPDATE ON crews_assignment
    FOR EACH ROW EXECUTE FUNCTION crews_check_step();
ALTER TABLE crews_assignment ENABLE ALWAYS TRIGGER crews_assignment_step;
"""

BACK = """
DROP TRIGGER crews_assignment_step ON crews_assignment;
DROP FUNCTION crews_check_step();
"""


class Migration(migrations.Migration):
    """Add the trigger."""

    dependencies = [("crews", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACK)]
