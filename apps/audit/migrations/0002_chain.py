"""The trail guards itself: append-only, and each entry joins its chain when its transaction commits.

The chain lock is taken by a deferred trigger, so it is the last lock of a transaction and is
held only for the commit. All triggers are ENABLE ALWAYS: a replica role does not pass them by.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION audit_part(value text) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN value IS NULL THEN '\\xffffffff'::bytea
        ELSE int4send(octet_length(convert_to(value, 'UTF8'))) || convert_to(value, 'UTF8') END
$$;

CREATE FUNCTION audit_canonical(e audit_auditentry) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT uuid_send(e.id) || audit_part(e.stream)
        || int8send((extract(epoch FROM e.at) * 1000000)::bigint)
        || audit_part(e.actor_kind) || audit_part(e.actor_label) || audit_part(e.user_id::text)
        || audit_part(e.on_behalf_of) || audit_part(e.action) || audit_part(e.resource)
        || audit_part(e.resource_id) || audit_part(e.before::text) || audit_part(e.after::text)
        || audit_part(e.address) || audit_part(e.agent) || audit_part(e.request_id)
$$;

CREATE FUNCTION audit_join_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last_seq bigint;
    last_hash bytea;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit:' || NEW.stream, 0));
    SELECT seq, hash INTO last_seq, last_hash FROM audit_auditlink
        WHERE stream = NEW.stream ORDER BY seq DESC LIMIT 1;
    last_seq := coalesce(last_seq, 0);
    last_hash := coalesce(last_hash, sha256(convert_to(NEW.stream, 'UTF8')));
    INSERT INTO audit_auditlink (stream, seq, entry_id, previous, hash) VALUES (
        NEW.stream, last_seq + 1, NEW.id, last_hash,
        sha256(last_hash || int8send(last_seq + 1) || audit_canonical(NEW)));
    RETURN NULL;
END
$$;

CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only: % of % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE CONSTRAINT TRIGGER audit_chain AFTER INSERT ON audit_auditentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_join_chain();
CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON audit_auditlink
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON audit_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON audit_auditlink
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

ALTER TABLE audit_auditentry ENABLE ALWAYS TRIGGER audit_chain;
ALTER TABLE audit_auditentry ENABLE ALWAYS TRIGGER audit_keep;
ALTER TABLE audit_auditentry ENABLE ALWAYS TRIGGER audit_keep_all;
ALTER TABLE audit_auditlink ENABLE ALWAYS TRIGGER audit_keep;
ALTER TABLE audit_auditlink ENABLE ALWAYS TRIGGER audit_keep_all;
"""
BACKWARD = """
DROP TRIGGER audit_chain ON audit_auditentry;
DROP TRIGGER audit_keep ON audit_auditentry;
DROP TRIGGER audit_keep_all ON audit_auditentry;
DROP TRIGGER audit_keep ON audit_auditlink;
DROP TRIGGER audit_keep_all ON audit_auditlink;
DROP FUNCTION audit_join_chain();
DROP FUNCTION audit_refuse();
DROP FUNCTION audit_canonical(audit_auditentry);
DROP FUNCTION audit_part(text);
"""


class Migration(migrations.Migration):
    """Adds the triggers."""

    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
