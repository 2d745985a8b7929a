"""Who works in the demo: an account for every role, a token for machines, and crews."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.accounts import selectors as accounts
from apps.accounts import services as accounts_services
from apps.accounts.rules import Role, Scope
from apps.core.actor import Actor
from apps.crews import selectors as crews
from apps.crews import services as crews_services
from apps.crews.rules import CrewType, Profile
from apps.network import selectors as network

METER = "meter-123"
REGION = "north"
DOMAIN = "demo.example.org"
TOKEN_NAME = "Demo integrations"  # noqa: S105 - a name
NAMES = {
    "admin": (Role.ADMIN, "Nadia Admin", "+962790000001"),
    "operator": (Role.OPERATOR, "John Operator", "+962790000002"),
    "engineer": (Role.ENGINEER, "Sami Engineer", "+962790000003"),
    "ops_manager": (Role.OPS_MANAGER, "Rula Manager", "+962790000004"),
    "crew": (Role.CREW, "Mike Leader", "+962790000005"),
    "customer": (Role.USER, "Lina Customer", "+962790000006"),
}
CREW_OF_THE_DEMO_USER = "DEMO-LINE-1"


@dataclass(frozen=True, slots=True)
class Team:
    """A crew of the demo and the region in which it stands."""

    region: str
    profile: Profile


def _team(
    code: str, name: str, kind: CrewType, region: str, people: str, skills: str
) -> Team:
    leader, *members = people.split(", ")
    profile = Profile(
        name=name,
        crew_type=kind,
        code=code,
        leader=leader,
        members=(leader, *members),
        skills=tuple(skills.split(", ")),
        shift="day and night",
    )
    return Team(region, profile)


TEAMS = (
    _team(
        CREW_OF_THE_DEMO_USER,
        "Line Crew Alpha",
        CrewType.LINE_CREW,
        "north",
        "Mike Leader, Hani Odeh, Bashar Awad",
        "medium voltage, live line, bucket truck",
    ),
    _team(
        "DEMO-LINE-2",
        "Line Crew Bravo",
        CrewType.LINE_CREW,
        "south",
        "Omar Saleh, Tariq Jaber, Noor Masri",
        "medium voltage, cable joints",
    ),
    _team(
        "DEMO-LINE-3",
        "Line Crew Charlie",
        CrewType.LINE_CREW,
        "east",
        "Walid Khoury, Sara Tamimi",
        "low voltage, transformers",
    ),
    _team(
        "DEMO-LINE-4",
        "Line Crew Delta",
        CrewType.LINE_CREW,
        "west",
        "Majed Zoubi, Reem Qasem",
        "low voltage, meters",
    ),
    _team(
        "DEMO-EMERGENCY-1",
        "Emergency Line Crew",
        CrewType.EMERGENCY_CREW,
        "north",
        "Rania Hamdan, Adel Najjar, Imad Shami, Huda Kilani",
        "medium voltage, switching, first aid",
    ),
    _team(
        "DEMO-EMERGENCY-2",
        "Emergency Crew South",
        CrewType.EMERGENCY_CREW,
        "south",
        "Samir Barakat, Dina Abbadi, Ziad Hijazi",
        "medium voltage, mobile generator",
    ),
    _team(
        "DEMO-TREE-1",
        "Tree Crew Cedar",
        CrewType.TREE_CREW,
        "east",
        "Faris Darwish, Amal Sabbagh",
        "climbing, chain saw",
    ),
    _team(
        "DEMO-INSPECTION-1",
        "Inspection Crew Falcon",
        CrewType.INSPECTION_CREW,
        "west",
        "Yasmin Rawashdeh, Nabil Mansour",
        "thermography, drone",
    ),
)
CODES = frozenset(team.profile.code for team in TEAMS)


def ensure_people(
    known: dict[str, Any], marks: dict[str, Any], *, by: Actor, at: datetime
) -> dict[str, Any]:
    """Make what is missing; return accounts and token as they are published.

    A password that still opens its account is kept; an account whose password nobody knows
    any more is made anew. Where the account bears its mark of the last time nobody has
    changed the password, which is quicker told than tried.
    """
    held = known.get("accounts", {})
    made = {
        name: _account(name, held.get(name, {}), str(marks.get(name, "")), by, at)
        for name in NAMES
    }
    return {"accounts": made, "service_token": _token(known, by, at)}


def marks_of_people() -> dict[str, str]:
    """Return a mark of each account's password as it is stored now."""
    rows = dict(accounts.users().values_list("email", "password"))
    return {name: _mark(rows[address(name)]) for name in NAMES if address(name) in rows}


def ensure_crews(*, by: Actor, at: datetime) -> int:
    """Make the crews that are missing, each near a substation; return how many."""
    known = {crew.code: crew.crew_id for crew in crews.crews(viewer=by)}
    missing = [team for team in TEAMS if team.profile.code not in known]
    places = _places() if missing else {}
    for number, team in enumerate(missing):
        row = crews_services.create_crew(profile=team.profile, by=by, at=at)
        known[team.profile.code] = row.id
        if place := places.get(team.region):
            crews_services.place_crew(
                crew_id=row.id,
                latitude=place[0] + 0.004 * (number % 3 - 1),
                longitude=place[1] + 0.006 * (number % 2),
                by=by,
                at=at,
            )
    user = accounts.users().filter(email=address("crew")).first()
    if user is not None:
        mine = known[CREW_OF_THE_DEMO_USER]
        crews_services.join_crew(crew_id=mine, user_id=user.id, by=by, at=at)
    return len(missing)


def erase_people(*, by: Actor, at: datetime) -> None:
    """Delete the accounts of the demo and revoke its tokens."""
    for user in accounts.users().filter(email__in=[address(name) for name in NAMES]):
        accounts_services.erase_user(user_id=user.id, by=by, at=at)
    for row in accounts.service_tokens().filter(name=TOKEN_NAME, revoked_at=None):
        accounts_services.revoke_service_token(token_id=row.pk, by=by, at=at)


def address(name: str) -> str:
    """Return the e-mail address of an account of the demo."""
    return f"{name.replace('_', '.')}@{DOMAIN}"


def _mark(stored: str) -> str:
    return hashlib.sha256(stored.encode()).hexdigest()


def _account(
    name: str, held: dict[str, Any], mark: str, by: Actor, at: datetime
) -> dict[str, Any]:
    email, password = address(name), str(held.get("password", ""))
    user = accounts.users().filter(email=email).first()
    if user is not None:
        untouched = bool(password) and mark == _mark(user.password)
        if not (untouched or (password and user.check_password(password))):
            accounts_services.erase_user(user_id=user.id, by=by, at=at)
            user = None
    if user is None:
        password = secrets.token_urlsafe(15)
        role, full_name, phone = NAMES[name]
        profile = accounts_services.NewUser(
            email=email,
            full_name=full_name,
            phone=phone,
            role=role,
            region=REGION,
            meter_code=METER if name == "customer" else "",
            email_verified=True,
        )
        accounts_services.create_user(profile=profile, password=password, by=by, at=at)
    published = {"email": email, "password": password}
    return {**published, "meter_id": METER} if name == "customer" else published


def _token(known: dict[str, Any], by: Actor, at: datetime) -> str:
    secret = str(known.get("service_token", ""))
    actor = accounts.actor_of_bearer(secret, at=at) if secret else None
    if actor is not None and actor.scopes == frozenset(Scope.values):
        return secret
    for row in accounts.service_tokens().filter(name=TOKEN_NAME, revoked_at=None):
        accounts_services.revoke_service_token(token_id=row.pk, by=by, at=at)
    _, secret = accounts_services.issue_service_token(
        name=TOKEN_NAME, scopes=Scope.values, by=by, at=at
    )
    return secret


def _places() -> dict[str, tuple[float, float]]:
    """Return a place in each region: that of a meter in the middle of its list."""
    found = {}
    for region in network.regions():
        meters = network.meters_of_region(region.code)
        if meters:
            middle = meters[len(meters) // 2]
            found[region.code] = (middle.latitude, middle.longitude)
    return found
