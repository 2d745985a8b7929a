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
from apps.core.processes.sharing import Counts


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
        parser.add_argument("--counts", type=Path, help="connections of all web processes")
        parser.add_argument("--place", type=int, default=0, help="which of them, from zero")
        parser.add_argument("--of", type=int, default=1, help="how many they are")

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve. What is loaded before the first request is never looked at for garbage."""
        application = import_string(settings.ASGI_APPLICATION)
        get_resolver().url_patterns  # noqa: B018 - loads every page
        garbage.look_seldom()
        listening = socket.socket(fileno=options["fd"])
        counts = None
        if options["of"] > 1:
            counts = Counts(options["counts"], options["place"], options["of"])
        web.server(application, options["ready_file"], counts).run(sockets=[listening])
