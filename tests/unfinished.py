"""Work of somebody else beside the test's own, and a transaction that stays open for a while."""

import threading
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def unfinished(work):
    """Do the work in a transaction on a connection of its own; commit where the block ends."""
    is_done, may_end = threading.Event(), threading.Event()

    def run():
        try:
            with transaction.atomic():
                work()
                is_done.set()
                assert may_end.wait(10)
        finally:
            connection.close()

    other = threading.Thread(target=run)
    other.start()
    try:
        assert is_done.wait(10)
        yield
    finally:
        may_end.set()
        other.join()


def beside(work):
    """Start the work on a connection of its own; return its thread and what was wrong with it."""
    faults = []

    def run():
        try:
            work()
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, faults
