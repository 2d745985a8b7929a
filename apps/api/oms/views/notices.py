"""Notices: tell the customers of an outage, and what they were told."""

from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.oms import schema
from apps.api.oms.contract import OmsView
from apps.api.oms.serializers import NoticeListOut, NoticeQuery, NotifyIn, SentOut
from apps.api.oms.views.sight import OneOutageView, outage_of
from apps.notifications import rules, selectors, services


class OutageNotifyView(OneOutageView):
    """The notices of an outage."""

    needs = ("notifications.send_notice",)

    @schema.outage_notify
    def post(self, request: Request, outage_id: str) -> Response:
        """Tell customers; the notices go out behind the answer."""
        asked = self.read(NotifyIn)
        doing = self.doing(asked["updated_by"])
        sent = services.notify(
            outage_id=outage_of(outage_id, self.actor).id,
            channel=asked["notification_type"],
            message=asked["message"],
            customer_codes=asked["customer_ids"],
            estimated_restoration_at=asked["estimated_restoration_time"],
            by=doing.by,
            at=self.at,
        )
        body = {
            "notification_id": sent.notice.id,
            "notification_type": sent.notice.channel,
            "customers_notified": sent.notified,
            "status": rules.progress(total=sent.notified, pending=sent.notified, failed=0),
            "message": f"Customers told by {sent.notice.channel}: {sent.notified}.",
            "unknown": sent.unknown,
        }
        return self.said(SentOut, body, status=202)


class NotificationsView(OmsView):
    """What customers were told."""

    needs = ("notifications.view_notice",)

    @schema.notifications
    def get(self, request: Request) -> Response:
        """Answer a page of notices, the newest first."""
        window = self.query(NoticeQuery)
        rows = selectors.notices(viewer=self.actor).exclude(outage=None)
        limit, offset = window["limit"], window["offset"]
        body = {
            "notifications": rows[offset : offset + limit],
            "total": rows.order_by().count(),
            **window,
        }
        return self.said(NoticeListOut, body)
