"""What the admins of several apps have in common."""

from typing import Any


class Unchangeable:
    """Rows that the admin shows and never writes."""

    def has_add_permission(self, *_: Any) -> bool:
        """Refuse to add."""
        return False

    def has_change_permission(self, *_: Any) -> bool:
        """Refuse to change."""
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        """Refuse to delete."""
        return False
