"""Invented people and invented grids, the same from the same seed. For demos and tests."""
