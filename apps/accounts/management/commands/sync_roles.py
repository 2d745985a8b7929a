"""Mirror the roles in Django's groups."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.accounts import services


class Command(BaseCommand):
    """Give each role its group and permissions; running it again changes nothing."""

    help = "Mirror the roles and their permissions in groups."

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and say which permissions no app declares."""
        missing = services.sync_roles()
        if missing:
            self.stderr.write(f"Not declared by any app: {', '.join(missing)}")
