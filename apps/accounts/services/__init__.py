"""What may be done with accounts."""

from apps.accounts.services.access import (
    NeedsTwo,
    grant_object,
    require,
    sync_roles,
    withdraw_object,
)
from apps.accounts.services.attempts import device_of
from apps.accounts.services.factors import (
    begin_factor,
    confirm_factor,
    remove_factor,
    reset_factor,
)
from apps.accounts.services.joining import (
    Applicant,
    ask_to_reset,
    ask_to_verify,
    register,
    reset_password,
    verify_email,
)
from apps.accounts.services.looks import forget_view, hide_columns, save_view
from apps.accounts.services.machines import (
    ask_for_service_token,
    issue_service_token,
    revoke_service_token,
    rotate_service_token,
)
from apps.accounts.services.mailing import send_waiting
from apps.accounts.services.people import (
    NewUser,
    change_role,
    create_user,
    erase_user,
    refuse_role,
    set_active,
    set_role,
)
from apps.accounts.services.profile import change_password, update_profile
from apps.accounts.services.sessions import end_session, log_out, refresh
from apps.accounts.services.sign_in import (
    FactorWanted,
    Origin,
    SignIn,
    SignInRefused,
    login,
    prove_again,
    verify_code,
    verify_credentials,
)

__all__ = [
    "Applicant",
    "FactorWanted",
    "NeedsTwo",
    "NewUser",
    "Origin",
    "SignIn",
    "SignInRefused",
    "ask_for_service_token",
    "ask_to_reset",
    "ask_to_verify",
    "begin_factor",
    "change_password",
    "change_role",
    "confirm_factor",
    "create_user",
    "device_of",
    "end_session",
    "erase_user",
    "forget_view",
    "grant_object",
    "hide_columns",
    "issue_service_token",
    "log_out",
    "login",
    "prove_again",
    "refresh",
    "refuse_role",
    "register",
    "remove_factor",
    "require",
    "reset_factor",
    "reset_password",
    "revoke_service_token",
    "rotate_service_token",
    "save_view",
    "send_waiting",
    "set_active",
    "set_role",
    "sync_roles",
    "update_profile",
    "verify_code",
    "verify_credentials",
    "verify_email",
    "withdraw_object",
]
