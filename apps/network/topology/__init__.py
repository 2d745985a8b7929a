"""The grid as arrays: a switched network and the questions to it. No rows, no clock."""

from apps.network.topology.codes import CodeTable
from apps.network.topology.grid import Downstream, Grid, Interruption, Tie
from apps.network.topology.layout import Edges, Layout
from apps.network.topology.schematic import Schematic, Symbol, schematic
from apps.network.topology.spanning import Tree

__all__ = [
    "CodeTable",
    "Downstream",
    "Edges",
    "Grid",
    "Interruption",
    "Layout",
    "Schematic",
    "Symbol",
    "Tie",
    "Tree",
    "schematic",
]
