"""What was proposed stays as it was; a decision is final; nothing is deleted."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION approvals_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a proposal is not deleted' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.state <> 'open' THEN
        RAISE EXCEPTION 'the proposal was decided' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF (NEW.id, NEW.kind, NEW.resource_id, NEW.version, NEW.payload, NEW.hash, NEW.summary,
        NEW.made_by, NEW.maker, NEW.made_at, NEW.expires_at)
        IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.resource_id, OLD.version, OLD.payload, OLD.hash, OLD.summary,
        OLD.made_by, OLD.maker, OLD.made_at, OLD.expires_at) THEN
        RAISE EXCEPTION 'what was proposed is not changed'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER approvals_keep BEFORE UPDATE OR DELETE ON approvals_proposal
    FOR EACH ROW EXECUTE FUNCTION approvals_keep();
"""
BACKWARD = """
DROP TRIGGER approvals_keep ON approvals_proposal;
DROP FUNCTION approvals_keep();
"""


class Migration(migrations.Migration):
    """Adds the trigger."""

    dependencies = [("approvals", "0001_proposals")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
