"""Rows of crews, their assignments, and the steps that these took."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from apps.crews.rules import NAME_LENGTH, OPEN, AssignmentStatus, CrewType


class Crew(models.Model):
    """People who are sent together. `name_key` is the name as compared: one crew a name.

    An ad-hoc crew was named in an assignment and was not known before. `users` are the
    accounts of its people: they work its assignments.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=NAME_LENGTH)
    name_key = models.CharField(max_length=3 * NAME_LENGTH, unique=True, editable=False)
    crew_type = models.CharField(max_length=16, choices=CrewType.choices)
    leader = models.CharField(max_length=NAME_LENGTH, default="", blank=True)
    members = ArrayField(models.CharField(max_length=NAME_LENGTH), default=list, blank=True)
    skills = ArrayField(models.CharField(max_length=NAME_LENGTH), default=list, blank=True)
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    position_at = models.DateTimeField(null=True, blank=True)
    shift = models.CharField(max_length=60, default="", blank=True)
    on_shift = models.BooleanField(default=True)
    is_ad_hoc = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    users = models.ManyToManyField("accounts.User", related_name="+", blank=True)

    class Meta:
        ordering: ClassVar = ["name_key"]
        permissions: ClassVar = [("manage_crew", "Can change crews")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(crew_type__in=CrewType.values), name="crew_type_known"
            ),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None, position_at=None)
                | Q(
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                    position_at__isnull=False,
                ),
                name="crew_position_whole",
            ),
            models.CheckConstraint(condition=~Q(name_key=""), name="crew_named"),
        ]

    def __str__(self) -> str:
        return self.name

    def facts(self) -> dict[str, object]:
        """Return what the audit trail keeps of the row."""
        return {
            "code": self.code,
            "name": self.name,
            "crew_type": self.crew_type,
            "leader": self.leader,
            "members": self.members,
            "skills": self.skills,
            "shift": self.shift,
            "on_shift": self.on_shift,
        }


class Assignment(models.Model):
    """A crew sent to an outage. `crew_type` is what it was sent as.

    The database refuses a step backwards, and a second time of arrival.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    outage = models.ForeignKey(
        "outages.Outage", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    crew = models.ForeignKey(Crew, on_delete=models.PROTECT, related_name="assignments")
    crew_type = models.CharField(max_length=16, choices=CrewType.choices)
    status = models.CharField(
        max_length=14, choices=AssignmentStatus.choices, default=AssignmentStatus.ASSIGNED
    )
    assigned_at = models.DateTimeField()
    en_route_at = models.DateTimeField(null=True, blank=True)
    on_site_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()
    estimated_arrival_at = models.DateTimeField(null=True, blank=True)
    notes = models.TextField(default="", blank=True)
    assigned_by = models.CharField(max_length=200, default="", blank=True)
    on_behalf_of = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        permissions: ClassVar = [
            ("assign_crew", "Can send crews to outages"),
            ("work_assignment", "Can report on the assignments of the own crew"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status__in=AssignmentStatus.values),
                name="assignment_status_known",
            ),
            models.CheckConstraint(
                condition=Q(crew_type__in=CrewType.values), name="assignment_type_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=AssignmentStatus.ASSIGNED)
                | Q(en_route_at=None, on_site_at=None),
                name="assignment_assigned_not_under_way",
            ),
            models.CheckConstraint(
                condition=~Q(status=AssignmentStatus.EN_ROUTE)
                | Q(en_route_at__isnull=False, on_site_at=None),
                name="assignment_en_route_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(status=AssignmentStatus.ON_SITE) | Q(on_site_at__isnull=False),
                name="assignment_on_site_has_time",
            ),
            models.CheckConstraint(
                condition=Q(
                    status=AssignmentStatus.WORK_COMPLETED, completed_at__isnull=False
                )
                | (~Q(status=AssignmentStatus.WORK_COMPLETED) & Q(completed_at=None)),
                name="assignment_completed_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status=AssignmentStatus.CANCELLED, cancelled_at__isnull=False)
                | (~Q(status=AssignmentStatus.CANCELLED) & Q(cancelled_at=None)),
                name="assignment_cancelled_has_time",
            ),
            models.CheckConstraint(
                condition=Q(on_site_at=None)
                | Q(en_route_at=None)
                | Q(on_site_at__gte=F("en_route_at")),
                name="assignment_arrives_after_start",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["outage", "assigned_at"], name="assignment_outage"),
            models.Index(
                fields=["crew"], name="assignment_open", condition=Q(status__in=OPEN)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.crew_id} {self.status}"

    def facts(self) -> dict[str, object]:
        """Return what the audit trail keeps of the row."""
        return {
            "outage": str(self.outage_id),
            "crew": str(self.crew_id),
            "crew_type": self.crew_type,
            "status": self.status,
            "estimated_arrival_at": self.estimated_arrival_at,
            "notes": self.notes,
        }


class AssignmentStep(models.Model):
    """One step of an assignment: who said so, on whose behalf, and what they remarked."""

    assignment = models.ForeignKey(
        Assignment, on_delete=models.CASCADE, related_name="steps", db_index=False
    )
    at = models.DateTimeField()
    before = models.CharField(max_length=14, choices=AssignmentStatus.choices, blank=True)
    after = models.CharField(max_length=14, choices=AssignmentStatus.choices)
    notes = models.TextField(default="", blank=True)
    actor_label = models.CharField(max_length=200, default="", blank=True)
    on_behalf_of = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["assignment", "after"], name="assignment_step_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"
