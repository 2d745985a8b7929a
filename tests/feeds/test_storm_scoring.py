"""The scorer, against figures worked out by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.feeds.storms import Answer, Declared, read_truth, score
from apps.feeds.storms.scoring import adjusted_rand

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def line(device, events, *, momentary=False):
    return {
        "fault": 1,
        "cause": "fuse",
        "device_id": device,
        "momentary": momentary,
        "started_at": START.isoformat(),
        "meters": {"m": [START.isoformat(), (START + timedelta(hours=1)).isoformat()]},
        "events": events,
    }


def gasps(names):
    return [["smart_meter", name, f"meter-{name}", "last_gasp"] for name in names]


def answer(groups, outages):
    events = {("smart_meter", n): key for key, names in groups.items() for n in names}
    return Answer(events, {k: Declared(*v) for k, v in outages.items()})


TRUTH = read_truth(
    [line("T-1", gasps("abcd")), line("T-2", gasps("ef")), {"noise": gasps("xyz")}]
)


def test_adjusted_rand_of_like_labellings_is_one():
    assert adjusted_rand([(1, "a"), (1, "a"), (2, "b"), (3, "c")]) == 1


def test_adjusted_rand_worked_out_by_hand():
    # Pairs 15; together in truth 3 + 3, in the answer 1 + 6, in both 1 + 3; by chance 6*7/15.
    labels = [(1, "a"), (1, "a"), (1, "b"), (2, "b"), (2, "b"), (2, "b")]
    assert adjusted_rand(labels) == pytest.approx((4 - 2.8) / (6.5 - 2.8))


@pytest.mark.parametrize("labels", [[], [(1, "a")], [(1, "a"), (2, "b")]])
def test_adjusted_rand_where_there_is_nothing_to_tell(labels):
    assert adjusted_rand(labels) == 1


def test_adjusted_rand_of_one_cluster_against_each_alone_is_nought():
    assert adjusted_rand([(1, n) for n in range(5)]) == 0


def test_the_truth_itself_scores_full():
    found = score(TRUTH, answer({"A": "abcd", "B": "ef"}, {"A": ("T-1",), "B": ("T-2",)}))
    assert found.as_dict() == {
        "ari": 1.0,
        "ari_losses": 1.0,
        "recall": 1.0,
        "precision": 1.0,
        "right_device": 1.0,
        "right_device_found": 1.0,
        "false_outages": 0,
        "visible": 2,
        "declared": 2,
    }


def test_a_split_outage_and_a_false_one():
    # T-1 splits in halves of Jaccard 1/2 and 1/2; T-2 has e alone, one meter; xy is noise.
    told = answer(
        {"A": "ab", "B": "cd", "C": "e", "D": "xy", None: "fz"},
        {"A": ("T-9",), "B": ("T-1",), "C": ("T-2",), "D": ("T-3",)},
    )
    found = score(TRUTH, told)
    assert (found.visible, found.declared) == (2, 3)
    assert found.recall == 0.5
    assert found.precision == pytest.approx(2 / 3)
    assert found.right_device == 0.5
    assert found.right_device_found == 1.0
    assert found.false_outages == 1
    # Pairs 15: truth 6 + 1, answer 1 + 1, both 2; by chance 7 * 2 / 15.
    assert found.ari == pytest.approx((2 - 14 / 15) / (4.5 - 14 / 15))


def test_noise_dilutes_an_outage():
    found = score(TRUTH, answer({"A": "abcd", "B": "efxyz"}, {}))
    assert (found.recall, found.precision) == (0.5, 0.5)
    assert found.false_outages == 1
    assert found.ari == 1.0
    assert found.right_device == 0.0


def test_a_momentary_is_not_declared_and_not_to_be_found():
    truth = read_truth([line("T-1", gasps("ab")), line("T-2", gasps("cd"), momentary=True)])
    told = answer({"A": "ab", "B": "cd"}, {"A": ("T-1",), "B": ("T-2", True)})
    found = score(truth, told)
    assert (found.visible, found.declared, found.false_outages) == (1, 1, 0)
    assert found.precision == 1.0
    kept = answer({"A": "ab", "B": "cd"}, {"A": ("T-1",), "B": ("T-2",)})
    assert score(truth, kept).false_outages == 1


def test_one_meter_is_not_enough_but_a_trip_is():
    retried = [["smart_meter", name, "m1", "last_gasp"] for name in "ab"]
    tripped = [["scada", "t", "", "breaker_trip"], *gasps("c")]
    truth = read_truth([line("T-1", retried), line("CB-1", tripped)])
    told = Answer(
        {
            ("smart_meter", "a"): "A",
            ("smart_meter", "b"): "A",
            ("scada", "t"): "B",
            ("smart_meter", "c"): None,
        },
        {"A": Declared("T-1"), "B": Declared("CB-1")},
    )
    found = score(truth, told)
    assert (found.visible, found.declared) == (1, 1)
    assert (found.recall, found.right_device) == (1.0, 1.0)


def test_no_answer_finds_nothing():
    found = score(TRUTH, Answer({}, {}))
    assert (found.ari, found.recall, found.precision, found.right_device) == (0, 0, 0, 0)


def test_events_of_others_do_not_count():
    told = answer({"A": "abcdq", "B": "ef"}, {"A": ("T-1",), "B": ("T-2",)})
    assert score(TRUTH, told).precision == 1.0


def test_returns_count_in_one_index_alone():
    up = [["smart_meter", "u", "meter-a", "power_up"]]
    truth = read_truth([line("T-1", [*gasps("ab"), *up]), line("T-2", gasps("cd"))])
    told = answer({"A": "ab", "B": "cdu"}, {})
    assert score(truth, told).ari_losses == 1.0
    assert score(truth, told).ari < 1.0
