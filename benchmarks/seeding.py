"""Outages in the portal's own database, spread as a real utility's would be.

Their estimates were made for what they are, and are not due before tomorrow: the portal has
nothing to estimate anew while something else is measured.
"""

from benchmarks.portal import Portal

OUTAGES = """
INSERT INTO outages_outage (
    id, number, status, severity, confidence, place_kind, device_code, device_kind,
    feeder_code, feeder_name, substation_code, substation_name, region_code, feeder_number,
    latitude, longitude, customers_count, critical_customers, sources, first_detected_at,
    last_event_at, opened_at, estimated_restoration_at, etr_source, etr_made_for,
    is_momentary, is_planned, cause, updated_at)
SELECT
    gen_random_uuid(), nextval('outages_outage_number_seq'),
    (ARRAY['detected', 'confirmed', 'in_progress'])[1 + n %% 3],
    (ARRAY['low', 'medium', 'high', 'critical'])[1 + n %% 4],
    0.4 + 0.05 * (n %% 11), 'device', 'seed-device-' || n %% 700, 'transformer',
    'seed-feeder-' || n %% 40, 'Feeder ' || n %% 40, 'seed-station-' || n %% 9,
    'Station ' || n %% 9, (ARRAY['north', 'south', 'east', 'west'])[1 + n %% 4], NULL,
    31.5 + 0.9 * random(), 35.6 + 0.9 * random(), 1 + n * 7919 %% 900, n %% 20 = 0,
    CASE WHEN n %% 3 = 0 THEN '{"scada": 1, "smart_meter": 12}'::jsonb
         ELSE '{"smart_meter": 3}'::jsonb END,
    t.at, t.at + interval '2 min', t.at + interval '1 s', now() + interval '1 day', 'default',
    'transformer/' || (ARRAY['north', 'south', 'east', 'west'])[1 + n %% 4] || '/', false,
    false, '', t.at + interval '2 min'
FROM generate_series(1, %s) n,
    LATERAL (SELECT now() - interval '1 hour' - n * interval '25 s' AS at) t
"""
RESTORED = """
UPDATE outages_outage SET status = 'restored', restored_at = first_detected_at + interval '2 h'
WHERE device_code LIKE 'seed-device-%%' AND number %% 100 >= %s
"""


def add_outages(portal: Portal, outages: int) -> None:
    """Add so many open outages."""
    with portal.database() as connection:
        connection.execute(OUTAGES, [outages])
        connection.execute("VACUUM ANALYZE outages_outage")


def restore_most(portal: Portal, percent_left: int) -> None:
    """Restore them but for so many in a hundred."""
    with portal.database() as connection:
        connection.execute(RESTORED, [percent_left])
        connection.execute("VACUUM ANALYZE outages_outage")
