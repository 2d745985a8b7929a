"""Users, roles, service tokens and what each may do.

Owns identity and permission; knows nothing of what is protected.
"""
