"""What may be done with accounts."""

from apps.accounts.services.access import (
    grant_object,
    require,
    sync_roles,
    withdraw_object,
)
from apps.accounts.services.machines import issue_service_token, revoke_service_token
from apps.accounts.services.people import (
    NewUser,
    create_user,
    erase_user,
    set_active,
    set_role,
)
from apps.accounts.services.sign_in import SignIn, SignInRefused, login, verify_credentials

__all__ = [
    "NewUser",
    "SignIn",
    "SignInRefused",
    "create_user",
    "erase_user",
    "grant_object",
    "issue_service_token",
    "login",
    "require",
    "revoke_service_token",
    "set_active",
    "set_role",
    "sync_roles",
    "verify_credentials",
    "withdraw_object",
]
