"""Ground of every app: events with their outbox, work rows, errors, the Actor.

Owns no word of the grid and speaks no HTTP.
"""
