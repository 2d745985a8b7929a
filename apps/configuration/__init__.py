"""Settings that an admin changes while the portal runs, with their history.

Owns the values, not their meaning: each app declares its own settings.
"""
