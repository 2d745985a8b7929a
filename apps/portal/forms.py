"""The forms of the pages: they read what people type; the services judge it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.crews.rules import NOTES_LENGTH, CrewType
from apps.notifications.rules import MESSAGE_LENGTH, Channel
from apps.outages.rules import ZoneKind

DAY = 24 * 60


def _input(**attributes: Any) -> dict[str, Any]:
    return {"class": "form-control", "autocomplete": "off", **attributes}


class NoteForm(forms.Form):
    """A remark for the timeline."""

    text = forms.CharField(
        label=_("Note"),
        max_length=4_000,
        widget=forms.Textarea(_input(rows=2)),
    )


class EtrForm(forms.Form):
    """When power will be back, in minutes from now: at one outage or in its whole zone."""

    OUTAGE = "outage"
    prefix = "etr"
    minutes = forms.IntegerField(
        label=_("Power back in (minutes)"),
        min_value=1,
        max_value=14 * DAY,
        widget=forms.NumberInput(_input(inputmode="numeric")),
    )
    scope = forms.ChoiceField(
        label=_("Where"),
        choices=(
            (OUTAGE, _("This outage")),
            (ZoneKind.FEEDER.value, _("Everywhere on its feeder")),
            (ZoneKind.REGION.value, _("Everywhere in its region")),
        ),
        initial=OUTAGE,
        required=False,
        widget=forms.Select({"class": "form-select"}),
    )


class CancelForm(forms.Form):
    """Why an outage is none."""

    prefix = "cancel"
    reason = forms.CharField(
        label=_("Why it is no outage"),
        max_length=1_000,
        widget=forms.TextInput(_input()),
    )


class AssignForm(forms.Form):
    """A crew to be sent; an unknown name makes an ad-hoc crew."""

    prefix = "assign"
    crew_name = forms.CharField(
        label=_("Crew"), max_length=200, widget=forms.TextInput(_input(list="crew-names"))
    )
    crew_type = forms.ChoiceField(
        label=_("Type"),
        choices=CrewType.choices,
        widget=forms.Select({"class": "form-select"}),
    )
    arrival = forms.IntegerField(
        label=_("Arrives in (minutes)"),
        required=False,
        min_value=0,
        max_value=2 * DAY,
        widget=forms.NumberInput(_input(inputmode="numeric")),
    )
    notes = forms.CharField(
        label=_("Remark"),
        required=False,
        max_length=NOTES_LENGTH,
        widget=forms.TextInput(_input()),
    )


class NoticeForm(forms.Form):
    """What the customers of an outage are told, and how."""

    prefix = "notice"
    channel = forms.ChoiceField(
        label=_("By"),
        choices=Channel.choices,
        widget=forms.Select({"class": "form-select"}),
    )
    customers = forms.CharField(
        label=_("Only these customer ids"),
        required=False,
        max_length=20_000,
        widget=forms.TextInput(_input(placeholder=_("all of the outage"))),
    )
    message = forms.CharField(
        label=_("Message"),
        max_length=MESSAGE_LENGTH,
        widget=forms.Textarea(_input(rows=3)),
    )

    def clean_customers(self) -> list[str]:
        """Return the ids, split at commas and spaces."""
        return str(self.cleaned_data["customers"]).replace(",", " ").split()
