"""Who crews are: their names, people, shifts and positions."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts.selectors import users
from apps.accounts.services import grant_object, require, withdraw_object
from apps.audit import services as audit
from apps.core.actor import Actor
from apps.core.errors import Invalid
from apps.core.outbox import publish
from apps.crews.events import CrewChanged
from apps.crews.models import Crew
from apps.crews.rules import (
    OPEN,
    CrewExists,
    CrewType,
    Profile,
    check_position,
    name_key,
    name_of,
    words_of,
)
from apps.crews.selectors import WORK, CrewNotFound

MANAGE = "crews.manage_crew"
CODE_LENGTH = 60


@transaction.atomic
def create_crew(*, profile: Profile, by: Actor, at: datetime) -> Crew:
    """Make a crew. Raises Forbidden, Invalid, or CrewExists where name or code is taken."""
    require(by, MANAGE)
    crew = Crew(created_at=at)
    _fill(crew, profile)
    _save(crew, new=True)
    _tell(crew, "crew_create", None, by, at)
    return crew


@transaction.atomic
def update_crew(*, crew_id: UUID, profile: Profile, by: Actor, at: datetime) -> Crew:
    """Set what is known of a crew; it is no longer ad hoc.

    Raises Forbidden, CrewNotFound, Invalid, or CrewExists where name or code is taken.
    """
    require(by, MANAGE)
    crew = _lock(crew_id)
    before = crew.facts()
    _fill(crew, profile)
    crew.is_ad_hoc = False
    _save(crew, new=False)
    _tell(crew, "crew_update", before, by, at)
    return crew


@transaction.atomic
def set_on_shift(*, crew_id: UUID, on_shift: bool, by: Actor, at: datetime) -> Crew:
    """Begin or end a crew's shift. Raises Forbidden or CrewNotFound."""
    require(by, MANAGE)
    crew = _lock(crew_id)
    if crew.on_shift == on_shift:
        return crew
    before = crew.facts()
    crew.on_shift = on_shift
    crew.save(update_fields=["on_shift"])
    _tell(crew, "crew_shift", before, by, at)
    return crew


@transaction.atomic
def place_crew(
    *, crew_id: UUID, latitude: float, longitude: float, by: Actor, at: datetime
) -> Crew:
    """Note where a crew is; an older position than the known one changes nothing.

    A member of the crew may, and whoever manages crews; for others it is not found.
    Positions come often: they write no audit row. Raises Forbidden, CrewNotFound or Invalid.
    """
    if not by.may(MANAGE):
        require(by, WORK)
    check_position(latitude, longitude)
    crew = _lock(crew_id)
    if not by.may(MANAGE) and not crew.users.filter(id=by.user_id).exists():
        raise CrewNotFound(f"There is no crew {crew_id}.")
    if crew.position_at is not None and crew.position_at > at:
        return crew
    crew.latitude, crew.longitude, crew.position_at = latitude, longitude, at
    crew.save(update_fields=["latitude", "longitude", "position_at"])
    publish(CrewChanged(crew_id=crew.id, by=by.label, at=at))
    return crew


@transaction.atomic
def join_crew(*, crew_id: UUID, user_id: UUID, by: Actor, at: datetime) -> Crew:
    """Let a user work the crew's open and coming assignments.

    Raises Forbidden, CrewNotFound, or Invalid for an unknown user.
    """
    require(by, MANAGE)
    crew = _lock(crew_id)
    if crew.users.filter(id=user_id).exists():
        return crew
    user = users().filter(id=user_id).first()
    if user is None:
        raise Invalid(f"There is no user {user_id}.", fields={"field": "user_id"})
    for row in crew.assignments.filter(status__in=OPEN):
        grant_object(user_id=user_id, permission=WORK, target=row, by=by, at=at)
    crew.users.add(user)
    _tell(crew, "crew_join", None, by, at, user_id=user_id)
    return crew


@transaction.atomic
def leave_crew(*, crew_id: UUID, user_id: UUID, by: Actor, at: datetime) -> Crew:
    """Take a user out of a crew; its open assignments are theirs no longer.

    Raises Forbidden or CrewNotFound.
    """
    require(by, MANAGE)
    crew = _lock(crew_id)
    user = crew.users.filter(id=user_id).first()
    if user is None:
        return crew
    for row in crew.assignments.filter(status__in=OPEN):
        withdraw_object(user_id=user_id, permission=WORK, target=row, by=by, at=at)
    crew.users.remove(user)
    _tell(crew, "crew_leave", None, by, at, user_id=user_id)
    return crew


def find_or_create(*, name: str, crew_type: CrewType, by: Actor, at: datetime) -> Crew:
    """Return the crew of that name, or an ad-hoc one made now.

    Many may ask for one unknown name at once: the insert that comes second waits for the first
    and then finds its row. The caller has asked whether `by` may, in a transaction.
    """
    key = name_key(name)
    known = Crew.objects.filter(name_key=key).first()
    if known is not None:
        return known
    fresh = Crew(
        name=name, name_key=key, crew_type=crew_type, is_ad_hoc=True, created_at=at
    )
    fresh.code = _made_code(fresh)
    Crew.objects.bulk_create([fresh], ignore_conflicts=True)
    crew = Crew.objects.get(name_key=key)
    if crew.id == fresh.id:
        _tell(crew, "crew_create", None, by, at)
    return crew


def _fill(crew: Crew, profile: Profile) -> None:
    crew.name = name_of(profile.name)
    crew.name_key = name_key(crew.name)
    code = name_of(profile.code)[:CODE_LENGTH] if profile.code.strip() else ""
    crew.code = code or crew.code or _made_code(crew)
    crew.crew_type = profile.crew_type
    (crew.leader,) = words_of([profile.leader], "leader") or [""]
    crew.members = words_of(profile.members, "members")
    crew.skills = words_of(profile.skills, "skills")
    crew.shift = profile.shift.strip()[:60]
    crew.on_shift = profile.on_shift


def _made_code(crew: Crew) -> str:
    return f"CREW-{crew.id.hex[:10].upper()}"


def _save(crew: Crew, *, new: bool) -> None:
    try:
        with transaction.atomic():
            crew.save(force_insert=new)
    except IntegrityError:
        raise CrewExists("Another crew has this name or code.") from None


def _lock(crew_id: UUID) -> Crew:
    crew = Crew.objects.select_for_update().filter(id=crew_id).first()
    if crew is None:
        raise CrewNotFound(f"There is no crew {crew_id}.")
    return crew


def _tell(
    crew: Crew,
    action: str,
    before: dict[str, object] | None,
    by: Actor,
    at: datetime,
    **more: object,
) -> None:
    audit.record(
        by=by,
        action=action,
        resource="crew",
        resource_id=crew.id,
        before=before,
        after={**crew.facts(), **more},
        at=at,
    )
    publish(CrewChanged(crew_id=crew.id, by=by.label, at=at))
