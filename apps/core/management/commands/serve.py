"""Serve the portal over a socket that the supervisor has bound."""

import argparse
import socket
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import get_resolver
from django.utils.module_loading import import_string

from apps.core.processes import garbage, web


class Command(BaseCommand):
    """Run one web process until it is told to stop."""

    help = (
        "Serve the portal over an inherited listening socket (started by `manage.py up`)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the descriptor of the socket."""
        parser.add_argument("--fd", type=int, required=True, help="the socket's descriptor")
        parser.add_argument("--ready-file", type=Path, help="told when it answers")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve. What is loaded before the first request is never looked at for garbage."""
        application = import_string(settings.ASGI_APPLICATION)
        get_resolver().url_patterns  # noqa: B018 - loads every page
        garbage.look_seldom()
        listening = socket.socket(fileno=options["fd"])
        web.server(application, options["ready_file"]).run(sockets=[listening])
