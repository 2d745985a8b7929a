"""Readings, rollups, telemetry, meter health and regional load.

Owns measurements; what they cost or mean is judged elsewhere.
"""
