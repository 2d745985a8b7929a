"""The grid in the admin: to look at. It changes through imports and switching."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from apps.core.unchangeable import Unchangeable
from apps.network.models import (
    Customer,
    Edge,
    Feeder,
    Meter,
    Network,
    Node,
    Region,
    Substation,
    SwitchingOperation,
)


class ReadOnlyAdmin(Unchangeable, ModelAdmin):
    """Rows that nobody edits here."""

    show_full_result_count = False


@admin.register(Network)
class NetworkAdmin(ReadOnlyAdmin):
    """Imported networks."""

    list_display = ("name", "imported_at")


@admin.register(Region)
class RegionAdmin(ReadOnlyAdmin):
    """Regions."""

    list_display = ("code", "name", "capacity_mw", "time_zone", "retired")


@admin.register(Substation)
class SubstationAdmin(ReadOnlyAdmin):
    """Substations."""

    list_display = ("code", "name", "region", "retired")
    list_select_related = ("region",)
    search_fields = ("code__startswith", "name")


@admin.register(Feeder)
class FeederAdmin(ReadOnlyAdmin):
    """Feeders."""

    list_display = ("code", "name", "substation", "breaker", "retired")
    list_select_related = ("substation",)
    search_fields = ("code__startswith", "name")


@admin.register(Node)
class NodeAdmin(ReadOnlyAdmin):
    """Nodes."""

    list_display = ("code", "voltage_kv", "is_source", "latitude", "longitude", "retired")
    search_fields = ("code__startswith",)


@admin.register(Edge)
class EdgeAdmin(ReadOnlyAdmin):
    """Lines, cables and devices."""

    list_display = ("code", "kind", "normally_closed", "is_closed", "feeder", "retired")
    list_filter = ("kind", "is_closed")
    list_select_related = ("feeder",)
    search_fields = ("code__startswith",)


@admin.register(Customer)
class CustomerAdmin(ReadOnlyAdmin):
    """Customers."""

    list_display = ("code", "name", "phone", "email", "critical", "retired")
    list_filter = ("critical",)
    search_fields = ("code__startswith", "phone__startswith")


@admin.register(Meter)
class MeterAdmin(ReadOnlyAdmin):
    """Meters."""

    list_display = ("code", "customer", "feeder", "mrid", "onu", "retired")
    list_select_related = ("customer", "feeder")
    search_fields = ("code__startswith", "mrid__startswith", "onu__startswith")


@admin.register(SwitchingOperation)
class SwitchingOperationAdmin(ReadOnlyAdmin):
    """What was switched when."""

    list_display = ("edge", "closed", "at", "label", "reason")
    list_select_related = ("edge",)
