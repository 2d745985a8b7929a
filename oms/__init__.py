"""Wires everything together: settings, addresses, servers. Nothing imports it."""

from oms.celery import app as celery_app

__all__ = ["celery_app"]
