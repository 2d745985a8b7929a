"""Grids that others publish."""
