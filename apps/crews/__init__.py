"""Crews and their assignments to outages.

Owns who works where; the outage's own state belongs to outages.
"""
