#!/usr/bin/env python
"""Run the portal's management commands."""

import os
import sys

from django.core.management import execute_from_command_line

from oms.embedded import UnusableFolder

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oms.settings")
    try:
        execute_from_command_line(sys.argv)
    except UnusableFolder as reason:
        sys.exit(str(reason))
