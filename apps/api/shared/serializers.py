"""Bodies of sign-in and health, as their contracts print them."""

from typing import Any

from rest_framework import serializers

from apps.accounts.rules import PASSWORD_LENGTH, Role


class LoginBody(serializers.Serializer[Any]):
    """Who signs in, with SEGS and NOCIQ."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=PASSWORD_LENGTH, trim_whitespace=False)
    code = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        default="",
        help_text="A code of the second factor, for accounts that have one.",
    )


class RegisterBody(serializers.Serializer[Any]):
    """Who becomes a user: SEGS' `name`, NOCIQ's `full_name`; the role is a wish."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=PASSWORD_LENGTH, trim_whitespace=False)
    name = serializers.CharField(max_length=200, required=False)
    full_name = serializers.CharField(max_length=200, required=False)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    address = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True), required=False
    )
    role = serializers.ChoiceField(choices=Role.choices, required=False)


class Registered(serializers.Serializer[Any]):
    """The new user in SEGS' words."""

    userId = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    role = serializers.CharField()
    createdAt = serializers.DateTimeField()


class RegisterAnswer(serializers.Serializer[Any]):
    """One body that clients of both documents read unchanged."""

    success = serializers.BooleanField()
    data = Registered()  # type: ignore[assignment]
    message = serializers.CharField()
    id = serializers.UUIDField()
    email = serializers.EmailField()
    full_name = serializers.CharField()
    role = serializers.CharField()
    requested_role = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class TokenBody(serializers.Serializer[Any]):
    """Who signs in, with Astra."""

    username = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=PASSWORD_LENGTH, trim_whitespace=False)
    code = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        default="",
        help_text="A code of the second factor, for accounts that have one.",
    )


class SegsUser(serializers.Serializer[Any]):
    """The person in SEGS' words."""

    userId = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    role = serializers.CharField()
    meterId = serializers.CharField(allow_null=True)


class SegsLogin(serializers.Serializer[Any]):
    """The sign-in in SEGS' words."""

    accessToken = serializers.CharField()
    refreshToken = serializers.CharField()
    expiresIn = serializers.IntegerField()
    user = SegsUser()


class NociqUser(serializers.Serializer[Any]):
    """The person in NOCIQ's words."""

    id = serializers.UUIDField()
    email = serializers.EmailField()
    role = serializers.CharField()
    stellar_wallet = serializers.CharField(allow_null=True)


class LoginAnswer(serializers.Serializer[Any]):
    """One body that clients of both documents read unchanged."""

    success = serializers.BooleanField()
    data = SegsLogin()  # type: ignore[assignment]
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()
    user = NociqUser()


class TokenAnswer(serializers.Serializer[Any]):
    """The token as Astra prints it."""

    access_token = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField()


class HealthAnswer(serializers.Serializer[Any]):
    """That the process lives."""

    status = serializers.CharField()
    service = serializers.CharField()
    version = serializers.CharField()
    timestamp = serializers.CharField()


class PoolAnswer(serializers.Serializer[Any]):
    """The connections of this process; `overflow` counts who waits for one."""

    connected = serializers.BooleanField()
    pool_size = serializers.IntegerField()
    checked_out = serializers.IntegerField()
    overflow = serializers.IntegerField()


class DatabaseAnswer(serializers.Serializer[Any]):
    """That the database answers."""

    status = serializers.CharField()
    database = PoolAnswer()
