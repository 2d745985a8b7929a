"""The forest against plain reachability, on random small multigraphs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.network.rules import KINDS
from apps.network.topology import Grid, Layout


@st.composite
def grids(draw):
    """Return (nodes, edges, sources, normally open, actual closed flags, meters)."""
    nodes = draw(st.integers(1, 9))
    node = st.integers(0, nodes - 1)
    edges = draw(st.lists(st.tuples(node, node, st.sampled_from(KINDS)), max_size=14))
    sources = draw(st.lists(node, max_size=3, unique=True))
    flags = st.lists(st.booleans(), min_size=len(edges), max_size=len(edges))
    likely = st.lists(
        st.sampled_from([True, True, True, False]), min_size=len(edges), max_size=len(edges)
    )
    normal = draw(likely)
    actual = [n if keep else not n for n, keep in zip(normal, draw(likely), strict=True)]
    if draw(st.booleans()):
        actual = draw(flags)
    meters = {n: draw(st.integers(0, 3)) for n in range(nodes)}
    return nodes, edges, sources, normal, actual, meters


def layout_of(case) -> Layout:
    nodes, edges, sources, normal, _, meters = case
    return Layout.simple(
        nodes=nodes,
        edges=edges,
        sources=sources,
        meters=meters,
        open_edges=[i for i, closed in enumerate(normal) if not closed],
        feeders={i: i + 1 for i, edge in enumerate(edges) if edge[2] == "breaker"},
    )


def reached(edges, closed, seeds) -> set[int]:
    """Return what closed edges connect to the seeds, the slow way."""
    found, waiting = set(seeds), list(seeds)
    while waiting:
        here = waiting.pop()
        for (a, b, _), shut in zip(edges, closed, strict=True):
            for near, far in ((a, b), (b, a)):
                if shut and near == here and far not in found:
                    found.add(far)
                    waiting.append(far)
    return found


def build(case) -> Grid:
    return Grid.build(layout_of(case), np.array(case[4], bool))


@settings(max_examples=400, deadline=None)
@given(grids())
def test_energised_and_interrupted_are_what_reachability_says(case):
    nodes, edges, sources, _, actual, meters = case
    grid = build(case)
    live = reached(edges, actual, sources)
    assert {n for n in range(nodes) if grid.energised(n)} == live
    assert set(np.flatnonzero(grid.energised_nodes())) == live
    for edge in range(len(edges)):
        opened = [shut and i != edge for i, shut in enumerate(actual)]
        lost = live - reached(edges, opened, sources)
        found = grid.interrupted_by(edge)
        assert set(found.nodes.tolist()) == lost
        assert found.customers == sum(meters[n] for n in lost)


@settings(max_examples=400, deadline=None)
@given(grids())
def test_the_forest_is_one(case):
    nodes, edges, sources, normal, actual, meters = case
    grid = build(case)
    tree = grid.tree
    assert sorted(tree.order.tolist()) == list(range(nodes))
    for node in range(nodes):
        below = {
            other
            for other in range(nodes)
            if grid.enter[node] <= grid.enter[other] < grid.leave[node]
        }
        assert below == {other for other in range(nodes) if node in _ancestors(grid, other)}
        assert grid.meters_below(node) == sum(meters[other] for other in below)
        edge = int(grid.parent_edge[node])
        if edge < 0:
            assert grid.depth[node] == 0
            continue
        assert {node, int(grid.parent[node])} == set(edges[edge][:2])
        assert grid.depth[node] == grid.depth[grid.parent[node]] + 1
        assert actual[edge] or normal[edge]
        assert grid.fed_node(edge) == node
        usable = [a or n for a, n in zip(actual, normal, strict=True)]
        if node in reached(edges, usable, sources):
            assert _ancestors(grid, node)[-1] in sources


@settings(max_examples=300, deadline=None)
@given(grids())
def test_ties_restore_what_they_say(case):
    _, edges, sources, _, actual, meters = case
    grid = build(case)
    live = reached(edges, actual, sources)
    for edge in range(len(edges)):
        below = set(grid.downstream(edge).tolist())
        opened = [shut and i != edge for i, shut in enumerate(actual)]
        after = reached(edges, opened, sources)
        dead = below - after
        expected = {}
        for tie, (a, b, kind) in enumerate(edges):
            if opened[tie] or tie == edge or kind in ("line", "cable"):
                continue
            for inner, outer in ((a, b), (b, a)):
                if inner in dead and outer in after - below:
                    shut = [s or i == tie for i, s in enumerate(opened)]
                    gained = reached(edges, shut, sources) - after
                    expected[tie] = sum(meters[n] for n in gained)
        node = grid.fed_node(edge)
        if dead and (not grid.energised(node) or grid.tree.bridge[node]):
            found = {t.edge: t.customers for t in grid.restoring_ties(edge)}
            assert found == expected
        assert live >= after


@settings(max_examples=400, deadline=None)
@given(grids(), st.lists(st.tuples(st.integers(0, 13), st.booleans()), max_size=6))
def test_switching_equals_building_anew(case, changes):
    edges, state = case[1], list(case[4])
    grid = build(case)
    for edge, closed in changes:
        if edge >= len(edges):
            continue
        before = grid
        kept = before.closed.copy(), before.openings.copy()
        grid = grid.switched({edge: closed})
        state[edge] = closed
        fresh = Grid.build(grid.layout, np.array(state, bool))
        assert np.array_equal(before.closed, kept[0])
        assert np.array_equal(before.openings, kept[1])
        assert np.array_equal(grid.closed, fresh.closed)
        assert np.array_equal(grid.openings, fresh.openings)
        for name in grid.tree.__slots__:
            assert np.array_equal(getattr(grid.tree, name), getattr(fresh.tree, name)), name
        for each in range(len(edges)):
            assert (
                grid.interrupted_by(each).customers == fresh.interrupted_by(each).customers
            )


@settings(max_examples=200, deadline=None)
@given(grids(), st.dictionaries(st.integers(0, 13), st.booleans(), max_size=6))
def test_many_switchings_at_once_equal_building_anew(case, changes):
    changes = {edge: closed for edge, closed in changes.items() if edge < len(case[1])}
    grid = build(case).switched(changes)
    state = np.array(case[4], bool)
    for edge, closed in changes.items():
        state[edge] = closed
    fresh = Grid.build(grid.layout, state)
    assert np.array_equal(grid.openings, fresh.openings)
    assert np.array_equal(grid.parent_edge, fresh.parent_edge)
    assert np.array_equal(grid.tree.bridge, fresh.tree.bridge)


@settings(max_examples=200, deadline=None)
@given(grids())
def test_devices_above_follow_the_path(case):
    grid = build(case)
    protective = {"breaker", "recloser", "sectionaliser", "fuse", "transformer"}
    for node in range(case[0]):
        path = grid.path(node)
        devices = [e for e in path if grid.edge_kind(e) in protective]
        assert grid.upstream_devices(node) == devices
        assert grid.protective_of_node[node] == (devices[0] if devices else -1)
        transformers = [e for e in path if grid.edge_kind(e) == "transformer"]
        assert grid.transformer_of_node[node] == (transformers[0] if transformers else -1)
        breakers = [e for e in path if grid.edge_kind(e) == "breaker"]
        assert grid.feeder_of_node[node] == (breakers[0] + 1 if breakers else 0)


def _ancestors(grid: Grid, node: int) -> list[int]:
    found = [node]
    while (node := int(grid.parent[node])) >= 0:
        found.append(node)
    return found
