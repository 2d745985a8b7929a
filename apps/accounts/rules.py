"""Roles, scopes and what each may do."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.configuration.rules import Definition, declare

TOKEN_SECONDS = declare(
    "accounts.token_seconds",
    3_600,
    minimum=60,
    maximum=86_400,
    help="Seconds that an access token is valid.",
)
REFRESH_DAYS = declare(
    "accounts.refresh_days",
    30,
    minimum=1,
    maximum=365,
    help="Days that a refresh token is valid.",
)

MAIL_HOURS = declare(
    "accounts.mail_hours",
    24,
    minimum=1,
    maximum=168,
    help="Hours that a link in a message (confirm address, new password) is valid.",
)


def _a_minute(name: str, default: int, who: str) -> Definition[int]:
    return declare(
        f"limits.{name}_per_minute",
        default,
        minimum=1,
        maximum=10_000_000,
        help=f"Calls a minute of {who}.",
    )


STANDARD_A_MINUTE = _a_minute("standard", 100, "a person")
ANONYMOUS_A_MINUTE = _a_minute("anonymous", 20, "an address without a token")
PAYMENTS_A_MINUTE = _a_minute("payments", 10, "a person to payments")
SCANS_A_MINUTE = _a_minute("scans", 10, "a person to scans")
ANALYTICS_A_MINUTE = _a_minute("analytics", 50, "a person to analytics")
SERVICE_A_MINUTE = _a_minute("service", 6_000, "a service account, intake apart")
ATTEMPTS = declare(
    "accounts.sign_in_attempts",
    10,
    minimum=3,
    maximum=1_000,
    help="Failed sign-ins of one account within a quarter of an hour, from strange devices.",
)
FACTOR_REQUIRED = declare(
    "accounts.factor_required",
    False,  # noqa: FBT003 - the default of a declared setting
    help="Whether people with a role may do nothing before they have a second factor.",
)
PASSWORD_LENGTH: Final = 1_024
FACTOR_ISSUER: Final = "OMS"
FACTOR_DIGITS: Final = 6
FACTOR_SECONDS: Final = 30


class TwoPeople(models.TextChoices):
    """Acts for which two people can be asked for."""

    ROLE_CHANGE = "role_change", _("Role")
    SERVICE_TOKEN = "service_token", _("Service token")


FOUR_EYES: Final = {
    kind: declare(
        f"approvals.{kind}",
        False,  # noqa: FBT003 - the default of a declared setting
        help=f"Whether two people are needed for each {kind.value.replace('_', ' ')}.",
    )
    for kind in TwoPeople
}


class Role(models.TextChoices):
    """What a person is to the operation."""

    USER = "user"
    OPERATOR = "operator"
    ENGINEER = "engineer"
    CREW = "crew"
    OPS_MANAGER = "ops_manager"
    ADMIN = "admin"


class Scope(models.TextChoices):
    """What a service token is good for."""

    EVENTS_WRITE = "events:write"
    EVENTS_READ = "events:read"
    OUTAGES_READ = "outages:read"
    OUTAGES_WRITE = "outages:write"
    READINGS_WRITE = "readings:write"
    TELEMETRY_WRITE = "telemetry:write"
    ACT_FOR_USERS = "act_for_users"
    HEALTH_READ = "health:read"


_LOOK: Final = frozenset(
    {
        "outages.view_outage",
        "outages.view_event",
        "crews.view_crew",
        "notifications.view_notice",
        "network.view_network",
    }
)
_OPERATE: Final = _LOOK | {
    "outages.operate_outage",
    "outages.record_field_work",
    "outages.report_event",
    "crews.assign_crew",
    "crews.manage_crew",
    "notifications.send_notice",
    "network.switch_device",
    "core.view_health",
}
_MANAGE: Final = _OPERATE | {
    "outages.storm_mode",
    "outages.approve_work",
    "approvals.view_proposal",
}
ALL_PERMISSIONS: Final = _MANAGE | {
    "crews.work_assignment",
    "network.import_network",
    "audit.view_auditentry",
    "configuration.change_setting",
    "accounts.manage_users",
}

ROLE_PERMISSIONS: Mapping[str, frozenset[str]] = {
    Role.USER: frozenset(),
    Role.OPERATOR: _OPERATE,
    Role.ENGINEER: frozenset(
        {
            "outages.view_outage",
            "outages.view_event",
            "outages.operate_outage",
            "outages.record_field_work",
            "crews.view_crew",
            "network.view_network",
        }
    ),
    Role.CREW: frozenset({"crews.work_assignment", "outages.record_field_work"}),
    Role.OPS_MANAGER: _MANAGE,
    Role.ADMIN: ALL_PERMISSIONS,
}

SCOPE_PERMISSIONS: Mapping[str, frozenset[str]] = {
    Scope.EVENTS_WRITE: frozenset({"outages.report_event"}),
    Scope.EVENTS_READ: frozenset({"outages.view_event"}),
    Scope.OUTAGES_READ: frozenset(
        {
            "outages.view_outage",
            "crews.view_crew",
            "notifications.view_notice",
            "network.view_network",
        }
    ),
    Scope.OUTAGES_WRITE: frozenset(
        {
            "outages.operate_outage",
            "outages.record_field_work",
            "crews.assign_crew",
            "crews.work_assignment",
            "notifications.send_notice",
        }
    ),
    Scope.READINGS_WRITE: frozenset(),
    Scope.TELEMETRY_WRITE: frozenset(),
    Scope.ACT_FOR_USERS: frozenset(),
    Scope.HEALTH_READ: frozenset({"core.view_health"}),
}


def permissions_of_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """Return what a token of these scopes may do; an unknown scope gives nothing."""
    nothing: frozenset[str] = frozenset()
    return nothing.union(*(SCOPE_PERMISSIONS.get(scope, nothing) for scope in scopes))


def factor_uri(email: str, key: str) -> str:
    """Return the key of a second factor, in base 32, as the address that devices read."""
    told = {
        "secret": key,
        "issuer": FACTOR_ISSUER,
        "digits": FACTOR_DIGITS,
        "period": FACTOR_SECONDS,
    }
    return f"otpauth://totp/{quote(f'{FACTOR_ISSUER}:{email}')}?{urlencode(told)}"


def unknown_scopes(scopes: Iterable[str]) -> list[str]:
    """Return the words that are no scopes."""
    return sorted(set(scopes) - set(Scope.values))
