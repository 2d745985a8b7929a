"""A long history in the portal's own database: 1,000,000 events beside 100,000 outages.

Half of the events came in during the last day, 30,000 of them in the last hour; 1 in 25 found no
place. The table was vacuumed before the last hour and not since, as on a day like that. Devices
are those of the demo's network, so that maps have something to draw.
"""

from benchmarks import seeding
from benchmarks.portal import Portal

OUTAGES, EVENTS = 100_000, 1_000_000
IN_LAST_DAY, IN_LAST_HOUR = 500_000, 30_000
PLACED = """
WITH devices AS (
    SELECT code, kind, row_number() OVER (ORDER BY code) - 1 AS place, count(*) OVER () AS n
    FROM network_edge WHERE kind IN ('breaker', 'fuse', 'recloser', 'transformer', 'switch')
)
UPDATE outages_outage SET device_code = devices.code, device_kind = devices.kind,
    feeder_code = 'seed-feeder-' || number %% 40,
    etr_made_for = devices.kind || '/' || region_code || '/'
FROM devices
WHERE device_code LIKE 'seed-device-%%' AND number %% devices.n = devices.place
"""
REGIONS = """
WITH regions AS (
    SELECT code, row_number() OVER (ORDER BY code) - 1 AS place, count(*) OVER () AS n
    FROM network_region
)
UPDATE outages_outage SET region_code = regions.code,
    etr_made_for = device_kind || '/' || regions.code || '/'
FROM regions
WHERE feeder_code LIKE 'seed-feeder-%%' AND number %% regions.n = regions.place
"""
ADDED = """
INSERT INTO outages_sourceevent (
    id, source_type, source_event_id, event_type, kind, occurred_at, received_at, accepted_at,
    clock, meter_code, device_code, latitude, longitude, severity, description, told_place,
    metadata, fingerprint, disposition, outage_id)
SELECT gen_random_uuid(), e.source, 'seed-' || n, 'last_gasp', e.kind, e.at, e.at, e.at, '',
    'seed-meter-' || n %% 60000, '', NULL, NULL, '', '',
    jsonb_build_object('meter_id', 'seed-meter-' || n %% 60000), '{}', 'seed',
    CASE WHEN n %% 25 = 7 THEN 'unresolved' WHEN e.kind = 'ignored' THEN 'ignored'
         WHEN e.kind = 'restoration' THEN 'restoration' ELSE 'outage' END,
    CASE WHEN n %% 25 <> 7 AND e.kind <> 'ignored' THEN o.id END
FROM generate_series(%(first)s::int, %(last)s::int) n
JOIN (SELECT id, row_number() OVER (ORDER BY number) - 1 AS place FROM outages_outage
      WHERE feeder_code LIKE 'seed-feeder-%%') o ON o.place = n * 7 %% %(outages)s,
LATERAL (SELECT
    (ARRAY['smart_meter', 'smart_meter', 'smart_meter', 'smart_meter', 'onu', 'onu',
           'call_center', 'scada', 'crew', 'operator'])[1 + n %% 10] AS source,
    CASE WHEN n %% 20 = 3 THEN 'ignored' WHEN n %% 5 = 1 THEN 'restoration' ELSE 'outage' END
        AS kind,
    now() - CASE
        WHEN n <= %(hour)s THEN interval '1 hour' * n / %(hour)s
        WHEN n <= %(day)s THEN interval '1 day' * n / %(day)s
        ELSE interval '29 days' * n / %(events)s + interval '1 day'
    END AS at) e
"""
RESTORED = """
UPDATE outages_outage SET status = 'restored', restored_at = first_detected_at + interval '2 h'
WHERE feeder_code LIKE 'seed-feeder-%%' AND number %% 100 >= %s
"""
LIMITS = """
INSERT INTO configuration_setting (key, value, updated_by)
VALUES ('outages.storm_events', '1000000', 'benchmark'),
       ('outages.storm_outages', '1000000', 'benchmark')
ON CONFLICT (key) DO UPDATE SET value = excluded.value
"""


def fill(portal: Portal) -> None:
    """Add the outages, all of them open, and the events; no storm is declared for them."""
    with portal.database() as connection:
        connection.execute(LIMITS)
    seeding.add_outages(portal, OUTAGES)
    sizes = {
        "events": EVENTS,
        "outages": OUTAGES,
        "hour": IN_LAST_HOUR,
        "day": IN_LAST_DAY,
    }
    with portal.database() as connection:
        connection.execute(PLACED, [])
        connection.execute(REGIONS, [])
        connection.execute("VACUUM (FULL, ANALYZE) outages_outage")
        connection.execute(ADDED, {**sizes, "first": IN_LAST_HOUR + 1, "last": EVENTS})
        connection.execute("VACUUM ANALYZE outages_sourceevent")
        connection.execute(ADDED, {**sizes, "first": 1, "last": IN_LAST_HOUR})
        connection.execute("ANALYZE outages_sourceevent")


def restore_most(portal: Portal, percent_left: int) -> int:
    """Restore them but for so many in a hundred; return how many outages are open then."""
    with portal.database() as connection:
        connection.execute(RESTORED, [percent_left])
        connection.execute("VACUUM ANALYZE outages_outage")
    return portal.number(
        "SELECT count(*) FROM outages_outage WHERE merged_into_id IS NULL "
        "AND status IN ('detected', 'confirmed', 'in_progress')"
    )
