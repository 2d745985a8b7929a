"""Query parameters of the lists, checked before they reach a query."""

from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError as FormError
from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from apps.api.oms.serializers.events import SOURCE_WORDS
from apps.api.oms.serializers.fields import LONGEST_NAME, read_moment
from apps.outages.rules import Disposition, Severity, Status
from apps.outages.rules.verification import VerificationState
from apps.outages.rules.words import SOURCE_ALIASES


class MomentField(forms.Field):
    """An ISO 8601 time that says its zone."""

    def to_python(self, value: Any) -> datetime | None:
        """Return the time, or None where nothing was asked."""
        if value is None:
            return None
        try:
            return read_moment(value)
        except ValueError as wrong:
            raise FormError(str(wrong)) from None


class MomentFilter(django_filters.Filter):
    """Compares with a time."""

    field_class = MomentField


class SourceFilter(django_filters.MultipleChoiceFilter):
    """Compares with sources, by any name that an event may give them."""

    def get_filter_predicate(self, v: Any) -> dict[str, Any]:
        """Return the comparison with one of the names."""
        predicate: dict[str, Any] = super().get_filter_predicate(SOURCE_ALIASES.get(v, v))
        return predicate


class OutageFilter(django_filters.FilterSet):
    """Which outages."""

    status = django_filters.MultipleChoiceFilter(choices=Status.choices)
    severity = django_filters.MultipleChoiceFilter(choices=Severity.choices)
    region = django_filters.CharFilter(field_name="region_code", max_length=LONGEST_NAME)


class EventFilter(django_filters.FilterSet):
    """Which events: a half-open period of event time, what became of them, who said so."""

    since = MomentFilter(field_name="occurred_at", lookup_expr="gte")
    until = MomentFilter(field_name="occurred_at", lookup_expr="lt")
    disposition = django_filters.MultipleChoiceFilter(choices=Disposition.choices)
    source_type = SourceFilter(choices=[(word, word) for word in SOURCE_WORDS])


class VerificationFilter(django_filters.FilterSet):
    """Which verifications."""

    state = django_filters.MultipleChoiceFilter(choices=VerificationState.choices)


def narrowed(
    kind: type[django_filters.FilterSet], request: Request, rows: QuerySet[Any]
) -> QuerySet[Any]:
    """Return the rows that the query asks for; raise ValidationError naming what is wrong."""
    chosen = kind(request.query_params, queryset=rows, request=request)
    if not chosen.is_valid():
        raise ValidationError({name: list(said) for name, said in chosen.errors.items()})
    return chosen.qs


def asks_for(kind: type[django_filters.FilterSet], request: Request) -> bool:
    """Return whether the query names any of the filter's parameters."""
    return not request.query_params.keys().isdisjoint(kind.base_filters)
