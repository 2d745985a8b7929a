"""Exact answers of small hand-drawn grids."""

import numpy as np
import pytest

from apps.network.topology import CodeTable, Downstream, Grid, Layout, Tie

BREAKER, LINE, RECLOSER, TRANSFORMER, SWITCH, OTHER_BREAKER, SPUR, FUSE = range(8)


@pytest.fixture
def town() -> Layout:
    """Two feeders from one bus with a tie between their ends.

    0 -breaker- 1 -line- 2 -recloser- 3 -transformer- 4     (feeder 71)
    0 -breaker- 5 -line- 6, tie 6 ~ 3 open, 2 -fuse- 7      (feeder 72)
    """
    return Layout.simple(
        nodes=8,
        edges=[
            (0, 1, "breaker"),
            (1, 2, "line"),
            (2, 3, "recloser"),
            (3, 4, "transformer"),
            (6, 3, "switch"),
            (0, 5, "breaker"),
            (5, 6, "line"),
            (2, 7, "fuse"),
        ],
        sources=[0],
        open_edges=[SWITCH],
        meters={4: 10, 6: 3, 7: 2, 3: 1},
        feeders={BREAKER: 71, OTHER_BREAKER: 72},
    )


def test_normal_state(town):
    grid = Grid.build(town)
    assert grid.parent.tolist() == [-1, 0, 1, 2, 3, 0, 5, 2]
    assert grid.parent_edge.tolist() == [-1, 0, 1, 2, 3, 5, 6, 7]
    assert grid.depth.tolist() == [0, 1, 2, 3, 4, 1, 2, 3]
    assert grid.tree.order.tolist() == [0, 1, 2, 3, 4, 7, 5, 6]
    assert grid.feeder_of_node.tolist() == [0, 71, 71, 71, 71, 72, 72, 71]
    assert grid.transformer_of_node.tolist() == [-1, -1, -1, -1, TRANSFORMER, -1, -1, -1]
    assert grid.protective_of_node.tolist() == [-1, 0, 0, 2, 3, 5, 5, 7]
    assert [grid.meters_below(node) for node in range(8)] == [16, 13, 13, 11, 10, 3, 3, 2]
    assert grid.energised_nodes().all()
    assert grid.counts_below(BREAKER) == Downstream(transformers=1, customers=13)
    assert grid.path(4) == [TRANSFORMER, RECLOSER, LINE, BREAKER]
    assert grid.upstream_devices(4) == [TRANSFORMER, RECLOSER, BREAKER]
    assert grid.device_above(RECLOSER) == BREAKER
    assert grid.device_above(BREAKER) is None
    assert grid.edges_below(RECLOSER).tolist() == [RECLOSER, TRANSFORMER]


def test_interruption_and_the_tie_that_restores(town):
    grid = Grid.build(town)
    lost = grid.interrupted_by(RECLOSER)
    assert (lost.nodes.tolist(), lost.customers) == ([3, 4], 11)
    assert grid.restoring_ties(RECLOSER) == [Tie(SWITCH, 11)]
    assert grid.restoring_ties(BREAKER) == [Tie(SWITCH, 13)]
    assert grid.restoring_ties(FUSE) == []
    assert grid.interrupted_by(SWITCH).customers == 0


def test_a_dead_part_keeps_its_parent_and_feeder(town):
    grid = Grid.build(town).switched({RECLOSER: False})
    assert not grid.energised(3)
    assert not grid.energised(4)
    assert grid.energised(7)
    assert grid.parent[3] == 2
    assert grid.feeder_of_node[4] == 71
    assert grid.interrupted_by(RECLOSER).customers == 0
    assert grid.interrupted_by(BREAKER).customers == 2
    assert grid.downstream(RECLOSER).tolist() == [3, 4]
    assert grid.restoring_ties(RECLOSER) == [Tie(SWITCH, 11)]


def test_flipping_a_bridge_shares_the_forest(town):
    grid = Grid.build(town)
    assert grid.switched({RECLOSER: False}).tree is grid.tree
    assert grid.switched({SWITCH: True}).tree is not grid.tree


def test_a_tie_moves_the_part_to_the_feeder_that_feeds_it(town):
    grid = Grid.build(town).switched({RECLOSER: False, SWITCH: True})
    assert grid.energised(4)
    assert grid.feeder_of_node.tolist() == [0, 71, 71, 72, 72, 72, 72, 71]
    assert grid.interrupted_by(OTHER_BREAKER).customers == 14


def test_a_closed_loop_has_no_bridges(town):
    grid = Grid.build(town).switched({SWITCH: True})
    assert grid.interrupted_by(BREAKER).customers == 0
    assert grid.interrupted_by(RECLOSER).customers == 0
    assert grid.interrupted_by(TRANSFORMER).customers == 10
    assert grid.interrupted_by(FUSE).customers == 2


def test_parallel_edges_parents_are_the_first_in_order():
    layout = Layout.simple(
        nodes=2, edges=[(0, 1, "line"), (1, 0, "breaker"), (1, 1, "line")], sources=[0]
    )
    grid = Grid.build(layout)
    assert grid.parent_edge.tolist() == [-1, 0]
    assert grid.interrupted_by(0).nodes.size == 0
    alone = grid.switched({0: False})
    assert alone.parent_edge.tolist() == [-1, 1]
    assert alone.interrupted_by(1).nodes.tolist() == [1]


def test_islands_are_dead_and_have_a_root():
    layout = Layout.simple(nodes=4, edges=[(2, 1, "line"), (3, 3, "fuse")], sources=[0])
    grid = Grid.build(layout)
    assert grid.energised_nodes().tolist() == [True, False, False, False]
    assert grid.parent.tolist() == [-1, -1, 1, -1]
    assert grid.interrupted_by(0).customers == 0


def test_nothing_at_all():
    grid = Grid.build(Layout.simple(nodes=0, edges=[], sources=[]))
    assert grid.edge_index("e0") is None
    assert not grid.has_node(1)


def test_an_edge_to_nowhere_is_refused():
    with pytest.raises(ValueError, match="not there"):
        Layout.simple(nodes=1, edges=[(0, 1, "line")], sources=[0])


def test_names(town):
    grid = Grid.build(town)
    assert grid.edge_index("e3") == TRANSFORMER
    assert grid.edge_code(TRANSFORMER) == "e3"
    assert grid.edge_kind(TRANSFORMER) == "transformer"
    assert grid.is_protective(TRANSFORMER)
    assert not grid.is_protective(SWITCH)
    assert grid.node_index(6) == 6
    with pytest.raises(KeyError):
        grid.node_index(8)


def test_code_tables_find_every_text_and_no_other():
    texts = ["Straße 9", "b", "", "a", "محول", "ab"]
    table = CodeTable.of(texts)
    assert [table.find(text) for text in texts] == list(range(6))
    assert [table.text(position) for position in range(6)] == texts
    assert table.find("aa") is None
    assert table.find("zz") is None
    assert CodeTable.packed(b"aab", np.array([1, 2])).find("ab") == 1
