"""Bodies of approvals: what waits for a second person, and the decision."""

from typing import Any

from rest_framework import serializers

from apps.approvals.rules import REASON_LENGTH, State


class ProposalData(serializers.Serializer[Any]):
    """An act that waits for a second person, or was decided."""

    approvalId = serializers.UUIDField()
    status = serializers.ChoiceField(choices=State.values)
    kind = serializers.CharField()
    summary = serializers.CharField()
    hash = serializers.CharField()
    requestedBy = serializers.CharField()
    requestedAt = serializers.CharField()
    expiresAt = serializers.CharField()
    decidedBy = serializers.CharField(allow_null=True)
    decidedAt = serializers.CharField(allow_null=True)
    reason = serializers.CharField(allow_null=True)


class ProposedAnswer(serializers.Serializer[Any]):
    """One proposal, after it was made or decided."""

    success = serializers.BooleanField()
    message = serializers.CharField()
    data = ProposalData()  # type: ignore[assignment]


class ProposalPage(serializers.Serializer[Any]):
    """A page of proposals."""

    approvals = ProposalData(many=True)
    total = serializers.IntegerField()
    limit = serializers.IntegerField()
    offset = serializers.IntegerField()


class ProposalsAnswer(serializers.Serializer[Any]):
    """Proposals, newest first."""

    success = serializers.BooleanField()
    data = ProposalPage()  # type: ignore[assignment]


class ProposalsQuery(serializers.Serializer[Any]):
    """Which proposals are wanted."""

    status = serializers.ChoiceField(choices=State.values, required=False)


class DecisionBody(serializers.Serializer[Any]):
    """What somebody says to a proposal."""

    decision = serializers.ChoiceField(choices=["approve", "reject", "withdraw"])
    reason = serializers.CharField(
        max_length=REASON_LENGTH, required=False, allow_blank=True, default=""
    )
