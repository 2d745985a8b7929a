"""Words, formulas and the reader of events: exact values, no database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.errors import Unprocessable
from apps.outages.rules import (
    BadReport,
    Kind,
    Source,
    Status,
    StepRefused,
    check_step,
    confidence,
    distance_meters,
    read_report,
    severity,
    status_of,
)

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
GOOD = {
    "event_type": "outage",
    "source_type": "scada",
    "source_event_id": "scada_001",
    "timestamp": "2025-09-25T15:30:00Z",
    "latitude": 31.9454,
    "longitude": 35.9284,
    "correlation_params": {"spatial_radius_meters": 500, "temporal_window_minutes": 15},
}


@pytest.mark.parametrize(
    ("sources", "sure"),
    [
        (["scada"], 0.5),
        (["scada", "onu"], 0.65),
        (["scada", "smart_meter"], 0.7),
        (["scada", "smart_meter", "onu", "call_center"], 0.832),
        (["smart_meter"], 0.4),
    ],
)
def test_confidence_is_one_minus_the_product_of_doubts(sources, sure):
    assert confidence(sources) == pytest.approx(sure)


@given(st.lists(st.sampled_from(list(Source))), st.sampled_from(list(Source)))
def test_confidence_is_order_free_and_never_falls(sources, further):
    assert confidence(sources) == confidence(reversed(sources))
    assert confidence([*sources, further]) >= confidence(sources)


@pytest.mark.parametrize(
    ("sure", "customers", "critical", "word"),
    [
        (0.4, 1, False, "low"),
        (0.5, 100, False, "medium"),
        (0.5, 101, False, "high"),
        (0.7, 1, False, "high"),
        (0.9, 1, False, "critical"),
        (0.1, 1001, False, "critical"),
        (0.1, 1, True, "critical"),
        (0.95, 500, False, "critical"),
    ],
)
def test_severity_follows_confidence_and_who_is_out(sure, customers, critical, word):
    assert severity(sure=sure, customers=customers, critical=critical) == word


ALLOWED = {
    (Status.DETECTED, Status.CONFIRMED),
    (Status.DETECTED, Status.IN_PROGRESS),
    (Status.DETECTED, Status.RESTORED),
    (Status.CONFIRMED, Status.IN_PROGRESS),
    (Status.CONFIRMED, Status.RESTORED),
    (Status.IN_PROGRESS, Status.RESTORED),
    (Status.DETECTED, Status.CANCELLED),
    (Status.CONFIRMED, Status.CANCELLED),
    (Status.IN_PROGRESS, Status.CANCELLED),
}


@pytest.mark.parametrize("now", list(Status))
@pytest.mark.parametrize("then", list(Status))
def test_steps_go_forward_only_and_final_states_stay(now, then):
    if (now, then) in ALLOWED:
        check_step(now, then)
        return
    with pytest.raises(StepRefused):
        check_step(now, then)


def test_an_unknown_status_word_names_what_is_allowed():
    with pytest.raises(Unprocessable) as refusal:
        status_of("exploded")
    assert refusal.value.fields["field"] == "status"
    assert "restored" in refusal.value.fields["allowed_values"]


def test_distance_of_a_degree_of_latitude():
    assert distance_meters(0, 0, 1, 0) == pytest.approx(111_195, abs=1)
    assert distance_meters(31.9, 35.9, 31.9, 35.9) == 0


def test_the_printed_event_is_read():
    report = read_report(GOOD, at=AT)
    assert report.identity == ("scada", "scada_001")
    assert report.kind is Kind.OUTAGE
    assert report.occurred_at == datetime(2025, 9, 25, 15, 30, tzinfo=UTC)
    assert (report.window_minutes, report.radius_meters) == (15, 500)
    assert report.clock == "late"


def test_params_at_top_level_count_too_and_the_inner_ones_win():
    outer = {**GOOD, "spatial_radius_meters": 70, "temporal_window_minutes": 7}
    assert read_report(outer, at=AT).radius_meters == 500
    del outer["correlation_params"]
    assert read_report(outer, at=AT).radius_meters == 70


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("last_gasp", Kind.OUTAGE),
        ("De-energized", Kind.OUTAGE),
        ("breaker trip", Kind.OUTAGE),
        ("power_up", Kind.RESTORATION),
        ("planned_outage", Kind.PLANNED),
        ("comm_fail", Kind.IGNORED),
        ("battery_low", Kind.IGNORED),
    ],
)
def test_device_words_map_to_what_they_say_about_power(word, kind):
    assert read_report({**GOOD, "event_type": word}, at=AT).kind is kind


def test_kaifa_is_a_smart_meter():
    report = read_report({**GOOD, "source_type": "kaifa"}, at=AT)
    assert report.source_type == "smart_meter"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event_type": "exploded"}, "event_type"),
        ({"event_type": 7}, "event_type"),
        ({"event_type": None}, "event_type"),
        ({"source_type": "gossip"}, "source_type"),
        ({"source_event_id": ""}, "source_event_id"),
        ({"source_event_id": "x" * 201}, "source_event_id"),
        ({"source_event_id": "a\x00b"}, "source_event_id"),
        ({"source_event_id": "a\ud800b"}, "source_event_id"),
        ({"timestamp": "2025-09-25T15:30:00"}, "timestamp"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"timestamp": 1758814200}, "timestamp"),
        ({"timestamp": "0001-01-01T00:00:00+23:59"}, "timestamp"),
        ({"timestamp": "2027-01-01T00:00:00Z"}, "timestamp"),
        ({"latitude": 90.5}, "latitude"),
        ({"latitude": "31.9"}, "latitude"),
        ({"latitude": True}, "latitude"),
        ({"latitude": float("nan")}, "latitude"),
        ({"longitude": -180.1}, "longitude"),
        ({"longitude": None}, "longitude"),
        ({"latitude": None, "longitude": None}, "device_id"),
        ({"severity": "apocalyptic"}, "severity"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"a": "\x00"}}, "metadata"),
        ({"metadata": {"a": "x" * 70_000}}, "metadata"),
        ({"correlation_params": 5}, "correlation_params"),
        ({"correlation_params": {"spatial_radius_meters": -1}}, "spatial_radius_meters"),
        (
            {"correlation_params": {"temporal_window_minutes": "x"}},
            "temporal_window_minutes",
        ),
        ({"phone": 79_000}, "phone"),
    ],
)
def test_what_is_wrong_is_named(change, field):
    with pytest.raises(BadReport) as refusal:
        read_report({**GOOD, **change}, at=AT)
    assert field in refusal.value.fields


@pytest.mark.parametrize("data", [None, [], "x", 5, [{}]])
def test_an_event_is_an_object(data):
    with pytest.raises(BadReport):
        read_report(data, at=AT)


def test_a_clock_slightly_ahead_counts_as_now_and_is_flagged():
    ahead = {**GOOD, "timestamp": (AT + timedelta(hours=2)).isoformat()}
    report = read_report(ahead, at=AT)
    assert (report.occurred_at, report.clock) == (AT, "ahead")


def test_the_fingerprint_knows_the_content_but_not_when_it_was_received():
    first = read_report(GOOD, at=AT).fingerprint
    assert read_report({**GOOD, "received_at": AT.isoformat()}, at=AT).fingerprint == first
    assert read_report({**GOOD, "description": "more"}, at=AT).fingerprint != first


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from([*GOOD, "metadata", "meter_id", "received_at"]), JSON)
)
def test_rubbish_is_read_or_refused_and_never_crashes(change):
    named, report = None, None
    try:
        report = read_report({**GOOD, **change}, at=AT)
    except BadReport as refusal:
        named = refusal.fields
    assert named or report.occurred_at.tzinfo is not None
