"""Sectors, components and scans of inspected equipment.

Owns what was seen; the state of the twin lives in twin.
"""
