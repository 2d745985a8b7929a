"""Celery's clock: it sends the names of tasks in time, so that it loads none of the apps.

Run with `python -m oms.clock`, or `celery -A oms beat`, which holds twice the memory.
"""

import logging
import logging.config
import signal
import sys

from celery import Celery
from celery.beat import Service

from oms import settings


def main() -> None:
    """Send what is due until told to stop."""
    logging.config.dictConfig(settings.LOGGING)
    logging.getLogger("celery.beat").setLevel(logging.WARNING)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit())
    app = Celery("clock", fixups=())
    app.config_from_object(settings, namespace="CELERY")
    Service(app).start()


if __name__ == "__main__":
    main()
