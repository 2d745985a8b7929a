"""Bodies of accounts: what is read, and what is said of a person."""

from typing import Any

from rest_framework import serializers

from apps.accounts.rules import PASSWORD_LENGTH, Role


def password_field() -> serializers.CharField:
    """Return the field of a password, which is taken as it is typed."""
    return serializers.CharField(max_length=PASSWORD_LENGTH, trim_whitespace=False)


class AddressBody(serializers.Serializer[Any]):
    """A postal address."""

    street = serializers.CharField(max_length=200, required=False, allow_blank=True)
    city = serializers.CharField(max_length=120, required=False, allow_blank=True)
    state = serializers.CharField(max_length=120, required=False, allow_blank=True)
    zip = serializers.CharField(max_length=20, required=False, allow_blank=True)


class RefreshBody(serializers.Serializer[Any]):
    """The refresh token."""

    refreshToken = serializers.CharField(max_length=200)


class LogoutBody(serializers.Serializer[Any]):
    """The refresh token of the session that ends, besides the one that asks."""

    refreshToken = serializers.CharField(max_length=200, required=False, allow_blank=True)


class ProfileBody(serializers.Serializer[Any]):
    """What people change of themselves."""

    name = serializers.CharField(max_length=200, required=False)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    address = AddressBody(required=False)
    timeZone = serializers.CharField(max_length=60, required=False, allow_blank=True)


class PasswordBody(serializers.Serializer[Any]):
    """The password so far and the next one."""

    currentPassword = password_field()
    newPassword = password_field()


class TokenOnlyBody(serializers.Serializer[Any]):
    """The token of a link in a message."""

    token = serializers.CharField(max_length=1_000)


class ResetAskBody(serializers.Serializer[Any]):
    """Whose password was forgotten."""

    email = serializers.EmailField(max_length=254)


class ResetBody(serializers.Serializer[Any]):
    """The token of a link in a message, and the next password."""

    token = serializers.CharField(max_length=1_000)
    newPassword = password_field()


class RoleBody(serializers.Serializer[Any]):
    """The role that a user is to have."""

    role = serializers.ChoiceField(choices=Role.choices)


class UsersQuery(serializers.Serializer[Any]):
    """Which users are wanted."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    status = serializers.ChoiceField(choices=["active", "inactive"], required=False)
    search = serializers.CharField(max_length=200, required=False, allow_blank=True)
    limit = serializers.IntegerField(min_value=1, max_value=500, default=50)
    offset = serializers.IntegerField(min_value=0, max_value=10_000_000, default=0)


class TrailQuery(serializers.Serializer[Any]):
    """Which entries of the trail are wanted; a plain date as `end` includes that day."""

    action = serializers.CharField(max_length=80, required=False, allow_blank=True)
    userId = serializers.UUIDField(required=False)
    start = serializers.CharField(max_length=40, required=False)
    end = serializers.CharField(max_length=40, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)
    offset = serializers.IntegerField(min_value=0, max_value=10_000_000, default=0)


# --- Answers ------------------------------------------------------------------------------
class PaginationOut(serializers.Serializer[Any]):
    """Which part of the whole a page is."""

    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()


class RefreshData(serializers.Serializer[Any]):
    """New tokens; a client that ignores the successor goes on with the old token."""

    accessToken = serializers.CharField()
    expiresIn = serializers.IntegerField()
    refreshToken = serializers.CharField()


class RefreshAnswer(serializers.Serializer[Any]):
    """The answer to a refresh."""

    success = serializers.BooleanField()
    data = RefreshData()  # type: ignore[assignment]


class DoneAnswer(serializers.Serializer[Any]):
    """That something was done."""

    success = serializers.BooleanField()
    message = serializers.CharField()


class ProfileData(serializers.Serializer[Any]):
    """A person, to that person."""

    userId = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    phone = serializers.CharField()
    role = serializers.CharField()
    meterId = serializers.CharField(allow_null=True)
    region = serializers.CharField(allow_null=True)
    address = AddressBody()
    createdAt = serializers.DateTimeField()
    emailVerified = serializers.BooleanField()
    timeZone = serializers.CharField()


class ProfileAnswer(serializers.Serializer[Any]):
    """The own profile."""

    success = serializers.BooleanField()
    data = ProfileData()  # type: ignore[assignment]


class UserData(ProfileData):
    """A person, to an admin."""

    status = serializers.ChoiceField(choices=["active", "inactive"])
    requestedRole = serializers.CharField(allow_null=True)
    lastLogin = serializers.DateTimeField(allow_null=True)


class UsersData(serializers.Serializer[Any]):
    """A page of users."""

    users = UserData(many=True)
    pagination = PaginationOut()


class UsersAnswer(serializers.Serializer[Any]):
    """The answer to a question for users."""

    success = serializers.BooleanField()
    data = UsersData()  # type: ignore[assignment]


class UserAnswer(serializers.Serializer[Any]):
    """One user, after a change."""

    success = serializers.BooleanField()
    message = serializers.CharField()
    data = UserData()  # type: ignore[assignment]


class LogData(serializers.Serializer[Any]):
    """One entry of the trail."""

    id = serializers.UUIDField()
    timestamp = serializers.DateTimeField()
    userId = serializers.UUIDField(allow_null=True)
    userName = serializers.CharField()
    action = serializers.CharField()
    resource = serializers.CharField()
    resourceId = serializers.CharField(allow_null=True)
    details = serializers.DictField()
    ipAddress = serializers.CharField(allow_null=True)
    userAgent = serializers.CharField(allow_null=True)


class LogsData(serializers.Serializer[Any]):
    """A page of the trail."""

    logs = LogData(many=True)
    pagination = PaginationOut()


class LogsAnswer(serializers.Serializer[Any]):
    """The answer to a question for the trail."""

    success = serializers.BooleanField()
    data = LogsData()  # type: ignore[assignment]
