"""The one-line schematic: everything is drawn once, nothing covers or crosses anything."""

import random

import pytest

from apps.network.topology import Grid, Layout, schematic


def a_grid(edges, **more):
    nodes = 1 + max(max(a, b) for a, b, _ in edges)
    return Grid.build(Layout.simple(nodes=nodes, edges=edges, sources=[0], **more))


def drawn(edges, most=400, **more):
    return schematic(a_grid(edges, **more), 0, most)


def told(found):
    return {(one.edge, one.column, one.row, one.lines) for one, _ in found.root.walk()}


def test_lines_in_a_row_are_one_and_the_main_line_stays_on_its_row():
    edges = [
        (0, 1, "breaker"),
        (1, 2, "line"),
        (2, 3, "cable"),
        (3, 4, "recloser"),
        (4, 5, "line"),
        (5, 6, "transformer"),
        (5, 7, "line"),
        (7, 8, "transformer"),
    ]
    found = drawn(edges, meters={6: 3, 8: 9})
    assert told(found) == {
        (0, 0, 0, 0),
        (3, 1, 0, 2),
        (-1, 2, 0, 1),
        (7, 3, 0, 1),
        (5, 3, 1, 0),
    }
    assert (found.columns, found.rows) == (4, 2)


def test_what_hangs_below_a_transformer_is_not_drawn():
    edges = [(0, 1, "breaker"), (1, 2, "transformer"), (2, 3, "cable"), (3, 4, "fuse")]
    found = drawn(edges, meters={4: 7})
    assert told(found) == {(0, 0, 0, 0), (1, 1, 0, 0)}


def test_a_tie_stands_at_both_its_ends_and_a_loop_ends():
    edges = [
        (0, 1, "breaker"),
        (1, 2, "line"),
        (0, 3, "breaker"),
        (3, 4, "line"),
        (2, 4, "switch"),
    ]
    held = a_grid(edges, open_edges=[4])
    for feeder in (0, 2):
        ties = [one for one, _ in schematic(held, feeder).root.walk() if one.is_tie]
        assert [one.edge for one in ties] == [4]
    closed = held.switched({4: True})
    assert sum(1 for _ in schematic(closed, 0).root.walk()) == 3


def test_an_edge_off_the_tree_has_no_schematic():
    edges = [(0, 1, "breaker"), (0, 1, "switch")]
    held = a_grid(edges, open_edges=[1])
    assert schematic(held, 1) is None


def a_tree(seed, size):
    chance = random.Random(seed)
    edges = [(0, 1, "breaker")]
    for node in range(2, size):
        above = node - 1 if chance.random() < 0.6 else chance.randrange(1, node)
        kind = chance.choice(["line", "line", "line", "fuse", "switch", "transformer"])
        edges.append((above, node, kind))
    return edges, {node: chance.randrange(5) for node in range(1, size)}


@pytest.mark.parametrize("seed", range(150))
def test_nothing_covers_or_crosses_anything(seed):
    edges, meters = a_tree(seed, 4 + seed)
    found = drawn(edges, meters=meters, most=10_000)
    cells, level, upright = {}, {}, {}
    for one, above in found.root.walk():
        assert 0 <= one.column < found.columns
        assert 0 <= one.row < found.rows
        assert cells.setdefault((one.column, one.row), one) is one
        if above is None:
            continue
        assert one.column == above.column + 1
        assert one.row >= above.row
        level[one.column, one.row] = one
        for row in range(above.row, one.row):
            owner = upright.setdefault((one.column, row), above)
            assert owner is above, "two connections share a way down"
    for (column, row), above in upright.items():
        crossing = level.get((column, row))
        assert crossing is None or crossing in above.below


@pytest.mark.parametrize("seed", range(20))
def test_every_device_outside_of_transformers_is_drawn_once(seed):
    edges, meters = a_tree(seed, 60)
    held = a_grid(edges, meters=meters)
    found = schematic(held, 0, 10_000)
    below = set()
    for number, (_, node, kind) in enumerate(edges):
        if kind == "transformer":
            below |= set(held.downstream(number).tolist()) - {node}
    devices = [one.edge for one, _ in found.root.walk() if one.edge >= 0]
    expected = [
        n for n, (_, b, kind) in enumerate(edges) if kind != "line" and b not in below
    ]
    assert sorted(devices) == expected
    assert sum(one.hidden for one, _ in found.root.walk()) == 0


@pytest.mark.parametrize("most", [0, 1, 5, 40])
def test_what_is_too_much_is_counted_and_the_largest_is_drawn(most):
    edges = [(0, 1, "breaker")] + [(1, n, "fuse") for n in range(2, 102)]
    meters = {n: n for n in range(2, 102)}
    found = drawn(edges, meters=meters, most=most)
    symbols = [one for one, _ in found.root.walk()]
    assert len(symbols) == 1 + most
    assert found.root.hidden == sum(sorted(meters.values())[: 100 - most])


def test_a_deep_line_is_drawn_without_recursion():
    edges = [(0, 1, "breaker")] + [(n, n + 1, "switch") for n in range(1, 5_000)]
    assert drawn(edges, most=10_000).columns == 5_000
