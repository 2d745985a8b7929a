"""Deliver published events: woken by the database on commit, and by a sweep each second."""

import contextlib
import signal
import time
from collections.abc import Iterator
from typing import Any

import psycopg
from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from apps.core import relay
from apps.core.processes import garbage

SWEEP_SECONDS = 1.0
GATHER_SECONDS = 0.1


class Command(BaseCommand):
    """Run the relay until it is told to stop."""

    help = "Deliver published events to their subscribers."
    stopping = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Deliver, wait for a nudge or a second, and again; outlive the database.

        What is published shortly after the first shares its round, which costs what one does.
        """
        garbage.look_seldom()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopping:
            with _outlived():
                self._listen()
                while not self.stopping:
                    begun = time.monotonic()
                    if relay.deliver_waiting(at=timezone.now()) == 0:
                        self._wait()
                    else:
                        time.sleep(max(0.0, begun + GATHER_SECONDS - time.monotonic()))

    def _stop(self, *_: Any) -> None:
        self.stopping = True

    def _listen(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {relay.CHANNEL}")

    def _wait(self) -> None:
        raw = connection.connection
        for _ in raw.notifies(timeout=SWEEP_SECONDS, stop_after=1):
            return


@contextlib.contextmanager
def _outlived() -> Iterator[None]:
    """Survive the loss of the database: the supervisor or its host brings it back."""
    try:
        yield
    except (OperationalError, InterfaceError, psycopg.OperationalError):
        connection.close()
        time.sleep(SWEEP_SECONDS)
