"""The words of outages: states, sources, kinds of event, and which step is allowed."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, Unprocessable


class Status(TextChoices):
    """Where an outage stands. Forward only; skips are allowed."""

    DETECTED = "detected", _("Detected")
    CONFIRMED = "confirmed", _("Confirmed")
    IN_PROGRESS = "in_progress", _("In progress")
    RESTORED = "restored", _("Restored")
    CANCELLED = "cancelled", _("Cancelled")


OPEN = (Status.DETECTED, Status.CONFIRMED, Status.IN_PROGRESS)
FINAL = (Status.RESTORED, Status.CANCELLED)
_RANK = {Status.DETECTED: 0, Status.CONFIRMED: 1, Status.IN_PROGRESS: 2, Status.RESTORED: 3}


class Severity(TextChoices):
    """How much an outage matters."""

    LOW = "low", _("Low")
    MEDIUM = "medium", _("Medium")
    HIGH = "high", _("High")
    CRITICAL = "critical", _("Critical")


SEVERITIES = list(Severity)


class Source(TextChoices):
    """Where an event came from."""

    SCADA = "scada", _("SCADA")
    SMART_METER = "smart_meter", _("Smart meter")
    ONU = "onu", _("ONU")
    CALL_CENTER = "call_center", _("Call centre")
    CREW = "crew", _("Crew")
    OPERATOR = "operator", _("Operator")
    MANUAL = "manual", _("Manual")


BY_PEOPLE = frozenset({Source.CALL_CENTER, Source.CREW, Source.OPERATOR, Source.MANUAL})
"""What these say is when somebody noticed, not when it happened."""

SOURCE_ALIASES = {"kaifa": Source.SMART_METER}


class Kind(TextChoices):
    """What an event says about power."""

    OUTAGE = "outage", _("Outage")
    RESTORATION = "restoration", _("Restoration")
    PLANNED = "planned", _("Planned outage")
    IGNORED = "ignored", _("Says nothing about power")


class Disposition(TextChoices):
    """What became of an event."""

    OUTAGE = "outage", _("In an outage")
    MOMENTARY = "momentary", _("Momentary")
    RESTORATION = "restoration", _("Restoration")
    DUPLICATE = "duplicate", _("Duplicate")
    PLANNED = "planned", _("Planned")
    UNRESOLVED = "unresolved", _("Unresolved")
    IGNORED = "ignored", _("Ignored")


class PlaceKind(TextChoices):
    """What an outage is pinned to."""

    SERVICE_POINT = "service_point", _("Service point")
    DEVICE = "device", _("Device")
    SUBSTATION = "substation", _("Substation")
    COORDINATES = "coordinates", _("Coordinates")


class MatchedBy(TextChoices):
    """How an event found its outage."""

    TOPOLOGY = "topology"
    SPATIAL = "spatial"
    NEW = "new"
    DUPLICATE = "duplicate"


class EtrSource(TextChoices):
    """Who or what says when power is back, the most trusted first."""

    CREW = "crew", _("Crew")
    OPERATOR = "operator", _("Operator")
    ZONE = "zone", _("Zone override")
    STORM = "storm", _("Storm simulation")
    STATISTICS = "statistics", _("Like outages")
    DEFAULT = "default", _("Default")


class ZoneKind(TextChoices):
    """What a zone is for which one estimate holds, the narrower first."""

    FEEDER = "feeder", _("Feeder")
    REGION = "region", _("Region")


ETR_RANK = {source: rank for rank, source in enumerate(EtrSource)}

_WORDS = {
    Kind.OUTAGE: (
        "outage power_outage breaker_trip trip tripped breaker_open recloser_lockout lockout "
        "fuse_blown power_loss power_fail power_failure power_off power_down last_gasp lastgasp "
        "dying_gasp de_energized deenergized de_energised no_power no_supply lights_out "
        "loss_of_supply loss_of_power onu_offline offline wire_down ping_dark"
    ),
    Kind.RESTORATION: (
        "restoration restored power_up powerup power_on power_restored power_restore energized "
        "energised re_energized breaker_close breaker_closed reclosed recloser_close "
        "supply_restored onu_online online powered back_on ping_powered"
    ),
    Kind.PLANNED: "planned_outage planned planned_work maintenance_outage",
    Kind.IGNORED: (
        "comm_fail comm_failure communication_failure comm_restored battery_low battery_ok "
        "tamper cover_open door_open meter_reboot reboot clock_sync time_sync firmware_update "
        "heartbeat test voltage_sag voltage_swell over_voltage under_voltage temperature_high "
        "signal_degraded configuration_change demand_reset event_log_cleared ping_no_answer"
    ),
}
KIND_OF_WORD: dict[str, Kind] = {
    word: kind for kind, words in _WORDS.items() for word in words.split()
}


def kind_of(event_type: str) -> Kind | None:
    """Return what a device's word says about power, or None where the word is unknown."""
    word = event_type.strip().lower().replace("-", "_").replace(" ", "_")
    return KIND_OF_WORD.get(word)


class StepRefused(Conflict):
    """The outage is not in a state from which it could go there."""


def check_step(now: Status, then: Status) -> None:
    """Raise StepRefused where an outage may not go from `now` to `then`."""
    if now in FINAL:
        raise StepRefused(f"The outage is already {now.value}; that is final.")
    if then is not Status.CANCELLED and _RANK[then] <= _RANK[now]:
        raise StepRefused(
            f"The outage is already {now.value}; it cannot become {then.value}."
        )


def status_of(word: str) -> Status:
    """Return the status that the word names; raise Unprocessable where there is none."""
    try:
        return Status(word)
    except ValueError:
        allowed = [status.value for status in Status]
        raise Unprocessable(
            f"Unknown status {word!r}.",
            fields={"field": "status", "allowed_values": allowed},
        ) from None
