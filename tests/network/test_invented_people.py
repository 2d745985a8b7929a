"""Networks that are registered together share no name by which an event finds its place."""

from apps.network.invention import people
from apps.network.invention.radial import Plan
from apps.network.invention.varied import varied


def test_two_networks_and_the_demo_share_no_customer_phone_or_unit():
    first, second = Plan(600, 1, "first").document(), varied(600, 1, "second")
    demo = {
        "customers": [people.customer(n) for n in range(700)],
        "meters": [{"id": f"meter-{n}", "onu": people.onu(n)} for n in range(700)],
    }
    seen = set()
    for document in (first, second, demo):
        named = {c[key] for c in document["customers"] for key in ("id", "phone")}
        named |= {m["onu"] for m in document["meters"] if m["onu"]}
        named |= {m["id"] for m in document["meters"]}
        assert len(named) > 600
        assert not named & seen
        seen |= named


def test_within_a_network_each_has_a_phone_of_its_own():
    phones = [people.customer(n, "north grid")["phone"] for n in range(2_000)]
    assert len(set(phones)) == 2_000
    assert all(phone[1:].isdigit() and len(phone) <= 16 for phone in phones)
