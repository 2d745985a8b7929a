"""Somebody else who holds a feeder for a while."""

import threading
from contextlib import contextmanager

from django.db import connection, transaction

from apps.outages.services.holding import lock_part


@contextmanager
def held(feeder):
    """Hold the feeder on a connection of its own."""
    is_held, may_go = threading.Event(), threading.Event()

    def hold():
        try:
            with transaction.atomic():
                lock_part([feeder])
                is_held.set()
                assert may_go.wait(10)
        finally:
            connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(10)
    try:
        yield
    finally:
        may_go.set()
        holder.join()
