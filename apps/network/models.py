"""Rows of the grid: identity and place of things, their normal and actual switch state."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from apps.network.rules import EdgeKind

_LATITUDE = [MinValueValidator(-90), MaxValueValidator(90)]
_LONGITUDE = [MinValueValidator(-180), MaxValueValidator(180)]


def _coded() -> models.UniqueConstraint:
    return models.UniqueConstraint(name="network_%(class)s_code", fields=["code"])


def _placed(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        name=f"network_{name}_coordinates",
        condition=Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
    )


class Network(models.Model):
    """One imported network file, known by its name."""

    name = models.CharField(max_length=200, unique=True)
    imported_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        permissions = [
            ("switch_device", "Can open and close devices"),
            ("import_network", "Can import network files"),
        ]

    def __str__(self) -> str:
        return self.name


class NetworkVersion(models.Model):
    """The one row that says whether a process still holds the current grid.

    `structure` counts imports, `state` is the last switching; `stamp` names the structure
    over all databases, so that no compiled arrays are taken for another's.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    structure = models.BigIntegerField(default=0)
    state = models.BigIntegerField(default=0)
    stamp = models.UUIDField(default=uuid.uuid4)

    class Meta:
        constraints = [
            models.CheckConstraint(name="network_one_version", condition=Q(id=1))
        ]

    def __str__(self) -> str:
        return f"{self.structure}.{self.state}"


class Asset(models.Model):
    """Something of a network file: `code` is its id there, unique for its kind everywhere.

    The latest import that names a code owns it. What vanished from its file is retired:
    kept for history, out of topology.
    """

    code = models.CharField(max_length=200, db_collation="C")
    network = models.ForeignKey(
        Network,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    retired = models.BooleanField(default=False)

    class Meta:
        abstract = True
        constraints = [_coded()]

    def __str__(self) -> str:
        return self.code


class Region(Asset):
    """A part of the country with a capacity in MW and a time zone of its own."""

    name = models.CharField(max_length=200)
    capacity_mw = models.FloatField()
    time_zone = models.CharField(max_length=64)

    class Meta:
        ordering = ["code"]
        constraints = [
            _coded(),
            models.CheckConstraint(
                name="network_region_capacity", condition=Q(capacity_mw__gte=0)
            ),
        ]


class Substation(Asset):
    """Where feeders leave from."""

    name = models.CharField(max_length=200)
    region = models.ForeignKey(Region, on_delete=models.PROTECT, related_name="+")
    latitude = models.FloatField(validators=_LATITUDE)
    longitude = models.FloatField(validators=_LONGITUDE)

    class Meta:
        ordering = ["code"]
        constraints = [_coded(), _placed("substation")]


class Feeder(Asset):
    """A feeder; `breaker` is the code of the edge through which it leaves."""

    name = models.CharField(max_length=200)
    substation = models.ForeignKey(Substation, on_delete=models.PROTECT, related_name="+")
    breaker = models.CharField(max_length=200, blank=True, db_collation="C")

    class Meta:
        ordering = ["code"]
        constraints = [_coded()]


class Node(Asset):
    """A point where edges meet; a source feeds the grid."""

    latitude = models.FloatField(validators=_LATITUDE)
    longitude = models.FloatField(validators=_LONGITUDE)
    voltage_kv = models.FloatField()
    is_source = models.BooleanField(default=False)

    class Meta:
        ordering = ["code"]
        constraints = [
            _coded(),
            _placed("node"),
            models.CheckConstraint(
                name="network_node_voltage", condition=Q(voltage_kv__gte=0)
            ),
        ]


class Edge(Asset):
    """A line, cable or device between two nodes.

    `normally_closed` is how the network was planned, `is_closed` how it is switched now,
    known since `state_at` (null: never switched).
    """

    from_node = models.ForeignKey(
        Node, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    to_node = models.ForeignKey(
        Node, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=16, choices=EdgeKind)
    normally_closed = models.BooleanField(default=True)
    is_closed = models.BooleanField(default=True)
    state_at = models.DateTimeField(null=True, blank=True)
    feeder = models.ForeignKey(
        Feeder, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    rated_kva = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            _coded(),
            models.CheckConstraint(
                name="network_edge_kind", condition=Q(kind__in=EdgeKind.values)
            ),
            models.CheckConstraint(
                name="network_edge_rating",
                condition=Q(rated_kva__isnull=True) | Q(rated_kva__gte=0),
            ),
        ]
        indexes = [
            models.Index(
                name="network_edge_switched",
                fields=["id"],
                condition=~Q(is_closed=F("normally_closed")),
            )
        ]


class Customer(Asset):
    """Whom a meter serves. `phone` is kept without separators."""

    name = models.CharField(max_length=200)
    phone = models.CharField(max_length=40, blank=True, db_collation="C")
    email = models.CharField(max_length=254, blank=True)
    address = models.CharField(max_length=300, blank=True, default="", db_default="")
    critical = models.BooleanField(default=False)

    class Meta:
        ordering = ["code"]
        constraints = [_coded()]
        indexes = [
            models.Index(
                name="network_customer_phone", fields=["phone"], condition=~Q(phone="")
            )
        ]


class Meter(Asset):
    """A meter at its node, with the identities under which other systems know it.

    `feeder` is the one that feeds it in the normal state, so its region does not move with
    switching. `load_profile` and `load_kw` (rated) describe its customer's usual demand.
    """

    node = models.ForeignKey(Node, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(
        Customer, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    feeder = models.ForeignKey(
        Feeder, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    mrid = models.CharField(max_length=200, blank=True, db_collation="C")
    onu = models.CharField(max_length=200, blank=True, db_collation="C")
    latitude = models.FloatField(validators=_LATITUDE)
    longitude = models.FloatField(validators=_LONGITUDE)
    load_profile = models.CharField(max_length=64, blank=True)
    load_kw = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            _coded(),
            _placed("meter"),
            models.CheckConstraint(
                name="network_meter_load",
                condition=Q(load_kw__isnull=True) | Q(load_kw__gte=0),
            ),
        ]
        indexes = [
            models.Index(name="network_meter_mrid", fields=["mrid"], condition=~Q(mrid="")),
            models.Index(name="network_meter_onu", fields=["onu"], condition=~Q(onu="")),
        ]


class SwitchingOperation(models.Model):
    """One change of a device's state, appended only; its id is the version it made."""

    edge = models.ForeignKey(Edge, on_delete=models.PROTECT, related_name="+")
    closed = models.BooleanField()
    at = models.DateTimeField()
    label = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(name="network_switching_edge", fields=["edge", "at"])]

    def __str__(self) -> str:
        return f"{self.edge_id} {'closed' if self.closed else 'open'} at {self.at}"
