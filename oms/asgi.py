"""The ASGI application: the quick doors, Django behind a limit on bodies, the sockets."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")

django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.urls import re_path  # noqa: E402

from apps.api.oms.intake import Intake  # noqa: E402 - apps are ready only now
from apps.api.oms.lists import QuickList  # noqa: E402
from apps.portal.sockets import websocket_urlpatterns  # noqa: E402
from oms.limits import BodyLimit, refuse_socket  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": Intake(QuickList(BodyLimit(django_application))),
        "websocket": URLRouter([*websocket_urlpatterns, re_path("", refuse_socket)]),  # type: ignore[arg-type]
    }
)
