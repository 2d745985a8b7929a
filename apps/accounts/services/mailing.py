"""Messages to people's addresses: promised in the transaction, sent by a worker."""

import logging
from datetime import datetime, timedelta
from uuid import uuid4

from django.core.mail import send_mail

from apps.accounts.models import Mail
from apps.core import work

LEASE = timedelta(seconds=60)
MOST = 50

logger = logging.getLogger(__name__)


def send(*, recipient: str, subject: str, body: str, at: datetime) -> None:
    """Promise a message; it is sent once the transaction has committed."""
    Mail.objects.create(
        key=str(uuid4()), run_at=at, recipient=recipient, subject=subject, body=body
    )


def send_waiting(*, at: datetime) -> int:
    """Send what is due; return how many were sent. What fails is tried again a minute later."""
    sent = 0
    for row in work.claim(Mail, owner="mail", at=at, lease=LEASE, limit=MOST):
        try:
            send_mail(row.subject, row.body, None, [row.recipient])
        except OSError as fault:
            logger.warning("Mail to one address waits: %s", fault)
            work.retry(row, error=str(fault), run_at=at + timedelta(minutes=1))
        else:
            sent += work.finish(row, body="")
    return sent
