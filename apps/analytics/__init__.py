"""Insight: figures computed from what others recorded.

Reads others and writes only its own rows.
"""
