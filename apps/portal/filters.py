"""The filters of lists: values are checked before they reach the database."""

from typing import Any

import django_filters
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower
from django.forms import DateTimeInput, Select, TextInput
from django.utils.translation import gettext_lazy as _

from apps.outages.rules import OPEN, Disposition, Kind, Severity, Source, Status

ACTIVE = "active"


def _select() -> Select:
    return Select({"class": "form-select"})


def _text(**attributes: Any) -> TextInput:
    return TextInput({"class": "form-control", "type": "search", **attributes})


class OutageFilter(django_filters.FilterSet):
    """Which outages are listed; active ones where nothing is asked."""

    text = django_filters.CharFilter(
        label=_("Search"),
        method="search",
        max_length=200,
        strip=True,
        widget=_text(
            box="grow",
            placeholder=_("Number, device, feeder, substation"),
            **{"data-search": True},
        ),
    )
    status = django_filters.ChoiceFilter(
        label=_("Status"),
        choices=[(ACTIVE, _("Active")), ("all", _("All")), *Status.choices],
        method="by_status",
        empty_label=None,
        widget=_select(),
    )
    severity = django_filters.ChoiceFilter(
        label=_("Severity"),
        choices=list(reversed(Severity.choices)),
        empty_label=_("Any"),
        widget=_select(),
    )
    region = django_filters.ChoiceFilter(
        label=_("Region"), field_name="region_code", empty_label=_("Any"), widget=_select()
    )

    def __init__(self, *args: Any, regions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filters["region"].extra["choices"] = regions

    def search(self, rows: QuerySet[Any], _name: str, text: str) -> QuerySet[Any]:
        """Find by number, device, feeder or substation."""
        found = Q(place_names__contains=Lower(Value(text)))
        digits = text.upper().removeprefix("OUT").lstrip("0")
        if digits.isascii() and digits.isdigit() and len(digits) < 18:
            found |= Q(number=int(digits))
        return rows.filter(found)

    def by_status(self, rows: QuerySet[Any], _name: str, word: str) -> QuerySet[Any]:
        """Narrow to a status, or to those somebody still has to act on."""
        match word:
            case "all":
                return rows
            case "active":
                return rows.filter(status__in=OPEN)
        return rows.filter(status=word)


class EventFilter(django_filters.FilterSet):
    """Which events are listed."""

    text = django_filters.CharFilter(
        label=_("Search"),
        method="search",
        max_length=200,
        strip=True,
        widget=_text(
            box="grow", placeholder=_("Event id, meter, device"), **{"data-search": True}
        ),
    )
    source = django_filters.ChoiceFilter(
        label=_("Source"),
        field_name="source_type",
        choices=Source.choices,
        empty_label=_("Any"),
        widget=_select(),
    )
    kind = django_filters.ChoiceFilter(
        label=_("Says"), choices=Kind.choices, empty_label=_("Anything"), widget=_select()
    )
    disposition = django_filters.ChoiceFilter(
        label=_("What became of it"),
        choices=Disposition.choices,
        empty_label=_("Anything"),
        widget=_select(),
    )
    until = django_filters.IsoDateTimeFilter(
        label=_("Up to (UTC)"),
        field_name="accepted_at",
        lookup_expr="lte",
        widget=DateTimeInput(
            {"class": "form-control", "type": "datetime-local", "step": "any"},
            format="%Y-%m-%dT%H:%M:%S.%f",
        ),
    )

    def search(self, rows: QuerySet[Any], _name: str, text: str) -> QuerySet[Any]:
        """Find by the source's id, the meter or the device, each from its index."""
        return rows.filter(
            Q(source_type__in=Source.values, source_event_id__startswith=text)
            | Q(meter_code__startswith=text)
            | (Q(device_code__startswith=text) & ~Q(device_code=""))
        )
