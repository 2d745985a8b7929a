"""Explanations on the wire."""

from typing import Any

from rest_framework import serializers

from apps.api.oms.serializers.fields import Known


class CandidateOut(serializers.Serializer[Any]):
    """One device that may have opened, with what speaks for it and against."""

    device_id = serializers.CharField()
    device_kind = serializers.CharField()
    customers = serializers.IntegerField(min_value=0, help_text="Meters below it.")
    reports_for = serializers.IntegerField(
        min_value=0, help_text="Meters below it that reported a loss."
    )
    silent = serializers.IntegerField(
        min_value=0, help_text="Meters below it that said nothing: weak evidence against."
    )
    against = serializers.IntegerField(
        min_value=0, help_text="Meters below it that said they had power meanwhile."
    )
    score = serializers.FloatField(
        help_text="What it explains less what its silence costs, in nats."
    )
    named = serializers.BooleanField(help_text="SCADA, or somebody, named the device.")
    chosen = serializers.BooleanField()
    why = serializers.ChoiceField(
        choices=[
            "named",
            "best",
            "same",
            "not_named",
            "times",
            "powered",
            "less",
            "silent",
        ],
        help_text="How it compares with the chosen device.",
    )


class ExplanationOut(serializers.Serializer[Any]):
    """Why an outage is where it is said to be."""

    outage_id = serializers.UUIDField()
    device_id = Known(help_text="The device inferred open; null where none is known.")
    basis = serializers.ChoiceField(
        choices=["topology", "space", "people", "part", "report"]
    )
    meters_reporting = serializers.IntegerField(min_value=0)
    meters_back = serializers.IntegerField(min_value=0)
    presumed_back = serializers.IntegerField(
        min_value=0, help_text="Not heard again, but most of their neighbours were."
    )
    candidates = CandidateOut(many=True)
