"""The digital twin of inspected components and its synchronisation.

Owns the folded state; measurements come from scans and telemetry.
"""
