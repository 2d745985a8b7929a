"""The ASGI application: Django behind a limit on what one body may hold."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")

django_application = get_asgi_application()

from oms.limits import BodyLimit  # noqa: E402 - settings are read after Django is set up

application = BodyLimit(django_application)
