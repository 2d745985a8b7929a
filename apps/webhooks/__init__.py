"""Events delivered to other systems, signed and retried.

Owns endpoints and deliveries, not the events.
"""
