"""Rows of users, their sessions, and service tokens."""

from typing import Any, ClassVar
from uuid import uuid4
from zoneinfo import available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower, Now

from apps.accounts.rules import Role, Scope
from apps.core.work import WorkRow


def known_zone(name: str) -> None:
    """Refuse a time zone that nobody knows. Raises ValidationError."""
    if name and name not in available_timezones():
        raise ValidationError("Unknown time zone.")


class UserManager(BaseUserManager["User"]):
    """Makes users; an e-mail address is kept in lower case."""

    def create_user(self, email: str, password: str | None = None, **values: Any) -> "User":
        """Make a user; without a password one that cannot sign in by password."""
        user = self.model(email=email.strip().lower(), **values)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **values: Any) -> "User":
        """Make an admin who may do everything, and enter the Django admin."""
        rights = {"role": Role.ADMIN, "is_staff": True, "is_superuser": True}
        return self.create_user(email, password, **{**rights, **values})

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user of that address, however it is written."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The role says what they may do; it is mirrored in a group of that name."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=200, default="", blank=True)
    phone = models.CharField(max_length=40, default="", blank=True)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.USER)
    requested_role = models.CharField(max_length=40, default="", blank=True)
    region = models.CharField(max_length=60, default="", blank=True)
    meter_code = models.CharField(max_length=80, default="", blank=True)
    address: models.JSONField = models.JSONField(default=dict, blank=True)
    time_zone = models.CharField(
        max_length=60, default="", db_default="", blank=True, validators=[known_zone]
    )
    email_verified = models.BooleanField(default=False)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    token_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        ordering: ClassVar = ["email"]
        permissions: ClassVar = [("manage_users", "Can manage users and service tokens")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="email_lower"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="user_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """Return the person's name, or the address where none is known."""
        return self.full_name or self.email

    def get_short_name(self) -> str:
        """Return the person's first name, or the address where none is known."""
        return self.full_name.split(" ")[0] if self.full_name else self.email


class Session(models.Model):
    """One sign-in over the API, the family of its refresh tokens; its id is their `sid`.

    `confirmed_at` is when a code of the second factor was shown with it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    address = models.CharField(max_length=80, default="", blank=True)
    agent = models.CharField(max_length=300, default="", blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="session_user")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.created_at:%Y-%m-%d %H:%M:%S}"


class SecondFactor(models.Model):
    """What a person's own device computes codes with (RFC 6238); the key is sealed.

    `last_step` is the time step of the code used last: none counts twice.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="factor")
    sealed = models.TextField()
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    last_step = models.BigIntegerField(default=-1)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.user_id}"


class RecoveryCode(models.Model):
    """A code for who has lost their device, good once; only its digest is kept."""

    factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, related_name="codes")
    hashed = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["factor", "hashed"], name="recovery_code_once"),
        ]

    def __str__(self) -> str:
        return f"{self.factor_id}"


class RefreshToken(models.Model):
    """A refresh token, of which only the SHA-256 is kept."""

    hashed = models.CharField(max_length=64, unique=True)
    family = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    parent = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["parent"], name="refresh_one_successor"),
        ]

    def __str__(self) -> str:
        return f"{self.family_id} {self.created_at:%Y-%m-%d %H:%M:%S}"


class ServiceToken(models.Model):
    """A machine's token, of which only the SHA-256 and the first characters are kept."""

    name = models.CharField(max_length=120)
    hashed = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    scopes = ArrayField(models.CharField(max_length=40, choices=Scope.choices))
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(scopes__contained_by=Scope.values), name="scopes_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class SavedView(models.Model):
    """What somebody looks at again and again on one list: its filters and order, by name."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=40)
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1_000, default="", blank=True)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "page", "name"], name="saved_view_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ListChoice(models.Model):
    """Which columns of one list somebody does not want to see."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=40)
    hidden = ArrayField(models.CharField(max_length=40), default=list)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "page"], name="list_choice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.page}"


class Mail(WorkRow):
    """A message to one address, until it is sent; its text is forgotten then."""

    recipient = models.EmailField()
    subject = models.CharField(max_length=200)
    body = models.TextField(default="", blank=True)

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [models.Index(fields=["state", "run_at"], name="mail_due")]

    def __str__(self) -> str:
        return f"{self.recipient}: {self.subject}"
