"""Hints to open sockets that something changed.

Owns no state: what a hint points at is read from its owner.
"""
