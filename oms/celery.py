"""The Celery application: a transport of hints; the truth is rows."""

import os

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")

app = Celery("oms")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect  # type: ignore[untyped-decorator]
def _look_for_garbage_seldom(**_: object) -> None:
    from apps.core.processes import garbage  # noqa: PLC0415 - settings come first

    garbage.look_seldom()
