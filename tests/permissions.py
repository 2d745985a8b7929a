"""Who may do what: one row an operation of the API, one row a page of the portal.

A cell is `allow`, `own` (objects that are the caller's, all others read as missing) or `deny`.
To add an operation or a page, add its row here; the walks in `tests/api/test_matrix.py` and
`tests/portal/test_page_matrix.py` fail for what has none.
"""

ROLES = ("user", "operator", "engineer", "crew", "ops_manager", "admin")
ALLOW, OWN, DENY = "allow", "own", "deny"


def row(cells):
    """Return a row from one letter a role, in the order of ROLES: a, o or d."""
    words = {"a": ALLOW, "o": OWN, "d": DENY}
    return dict(zip(ROLES, (words[cell] for cell in cells), strict=True))


EVERYBODY = row("aaaaaa")
WATCH = row("daadaa")
OPERATE = row("daddaa")
ADMIN = row("ddddda")

OPERATIONS = {
    ("get", "/health"): EVERYBODY,
    ("post", "/api/v1/auth/login"): EVERYBODY,
    ("post", "/api/v1/auth/token"): EVERYBODY,
    ("post", "/api/v1/auth/register"): EVERYBODY,
    ("post", "/api/v1/auth/refresh"): EVERYBODY,
    ("post", "/api/v1/auth/logout"): EVERYBODY,
    ("post", "/api/v1/auth/verify-email"): EVERYBODY,
    ("post", "/api/v1/auth/password-reset"): EVERYBODY,
    ("post", "/api/v1/auth/password-reset/confirm"): EVERYBODY,
    ("get", "/api/v1/users/me"): EVERYBODY,
    ("put", "/api/v1/users/me"): EVERYBODY,
    ("put", "/api/v1/users/me/password"): EVERYBODY,
    ("get", "/api/v1/admin/users"): ADMIN,
    ("post", "/api/v1/admin/users/{user_id}/role"): ADMIN,
    ("get", "/api/v1/admin/audit-logs"): ADMIN,
    ("get", "/api/v1/admin/approvals"): row("ddddaa"),
    ("post", "/api/v1/admin/approvals/{approval_id}/decision"): row("ddddaa"),
    ("get", "/api/v1/health/database"): OPERATE,
    ("get", "/api/oms/statistics"): WATCH,
    ("get", "/api/oms/outages"): row("daaoaa"),
    ("get", "/api/oms/outages/{outage_id}"): row("daaoaa"),
    ("get", "/api/oms/outages/{outage_id}/explanation"): WATCH,
    ("put", "/api/oms/outages/{outage_id}/status"): row("daadaa"),
    ("post", "/api/oms/outages/{outage_id}/crew"): OPERATE,
    ("post", "/api/oms/outages/{outage_id}/notify"): OPERATE,
    ("post", "/api/oms/outages/{outage_id}/verify"): row("daadaa"),
    ("get", "/api/oms/crews"): WATCH,
    ("put", "/api/oms/crews/{assignment_id}/status"): row("dadoaa"),
    ("get", "/api/oms/notifications"): OPERATE,
    ("get", "/api/oms/events"): WATCH,
    ("post", "/api/oms/events/correlate"): OPERATE,
    ("post", "/api/oms/events/correlate/batch"): OPERATE,
    ("get", "/api/oms/verifications"): WATCH,
    ("post", "/api/oms/verifications/{verification_id}/answer"): OPERATE,
}

NEVER_DELETED = {("post", "/api/v1/admin/approvals/{approval_id}/decision")}
"""What acts on an object that the database itself does not let go."""

PAGES = {
    "overview": row("daadaa"),
    "outages": row("daadaa"),
    "outages-csv": row("daadaa"),
    "outage": row("daadaa"),
    "why": row("daadaa"),
    "regroup": row("daadaa"),
    "crews": row("daaaaa"),
    "notices": OPERATE,
    "events": WATCH,
    "calls": WATCH,
    "grid": WATCH,
    "device": WATCH,
    "feeder": WATCH,
    "shift": WATCH,
    "bad-night": WATCH,
    "design": ADMIN,
    "work": row("dddada"),
    "planned": row("daadaa"),
    "replay": row("daadaa"),
    "replay-run": row("daadaa"),
    "planned-work": row("daadaa"),
    "approvals": row("ddddaa"),
    "people": ADMIN,
    "machines": ADMIN,
    "mail": ADMIN,
    "audit": ADMIN,
    "audit-csv": ADMIN,
    "profile": EVERYBODY,
    "map-network": WATCH,
}
DEEDS = {
    "storm": row("ddddaa"),
    "storm-mode": row("ddddaa"),
    "outages-confirm": row("daadaa"),
    "outages-view": EVERYBODY,
    "outages-view-forget": EVERYBODY,
    "outages-columns": EVERYBODY,
    "outage-change": row("daadaa"),
    "outage-note": row("daadaa"),
    "regroup-merge": row("daadaa"),
    "regroup-split": row("daadaa"),
    "regroup-place": row("daadaa"),
    "outage-etr": row("daadaa"),
    "outage-verify": row("daadaa"),
    "outage-zone-withdraw": row("daadaa"),
    "outage-assign": OPERATE,
    "outage-notify": OPERATE,
    "crew-step": row("dadoaa"),
    "call-take": OPERATE,
    "device-switch": OPERATE,
    "shift-write": row("daadaa"),
    "shift-unpin": row("daadaa"),
    "shift-give": row("daadaa"),
    "shift-take": row("daadaa"),
    "work-step": row("dddoda"),
    "work-note": row("dddoda"),
    "plan": row("daadaa"),
    "replay-ask": row("daadaa"),
    "work-approve": row("ddddaa"),
    "work-reject": row("ddddaa"),
    "work-cancel": row("daadaa"),
    "work-begin": row("daadaa"),
    "work-end": row("daadaa"),
    "work-extend": row("daadaa"),
    "work-announce": OPERATE,
    "approval-approve": ADMIN,
    "approval-reject": ADMIN,
    "approval-withdraw": ADMIN,
    "person-role": ADMIN,
    "person-refuse": ADMIN,
    "person-factor": ADMIN,
    "person-entry": ADMIN,
    "machine-issue": ADMIN,
    "machine-rotate": ADMIN,
    "machine-revoke": ADMIN,
    "profile-change": EVERYBODY,
    "profile-password": EVERYBODY,
    "profile-end": EVERYBODY,
    "factor-begin": EVERYBODY,
    "factor-confirm": EVERYBODY,
    "factor-remove": EVERYBODY,
    "audit-prove": ADMIN,
    "theme": EVERYBODY,
    "sign-out": EVERYBODY,
}
"""What is done on a page; a cell `own` means one's own assignment."""

SCOPES = {
    "events:write": {
        ("post", "/api/oms/events/correlate"),
        ("post", "/api/oms/events/correlate/batch"),
        ("get", "/api/oms/verifications"),
        ("post", "/api/oms/verifications/{verification_id}/answer"),
    },
    "events:read": {("get", "/api/oms/events")},
    "outages:read": {
        ("get", "/api/oms/outages"),
        ("get", "/api/oms/outages/{outage_id}"),
        ("get", "/api/oms/outages/{outage_id}/explanation"),
        ("get", "/api/oms/statistics"),
        ("get", "/api/oms/verifications"),
        ("get", "/api/oms/crews"),
        ("get", "/api/oms/notifications"),
    },
    "outages:write": {
        ("get", "/api/oms/outages"),
        ("put", "/api/oms/outages/{outage_id}/status"),
        ("post", "/api/oms/outages/{outage_id}/crew"),
        ("post", "/api/oms/outages/{outage_id}/notify"),
        ("post", "/api/oms/outages/{outage_id}/verify"),
        ("put", "/api/oms/crews/{assignment_id}/status"),
    },
    "readings:write": set(),
    "telemetry:write": set(),
    "act_for_users": set(),
    "health:read": {("get", "/api/v1/health/database")},
}
"""What a service token of one scope may call, beside what is open to everybody."""

STEPS = {"sign-in-code", "confirm"}
"""What is between a sign-in and its page; it answers who has begun one, alone."""

OPEN_PAGES = {"sign-in", "register", "forgotten", "new-password", "verify-email"}
