"""What notices hear of."""

import logging

from kombu.exceptions import OperationalError

from apps.core.events import subscribe
from apps.notifications.events import NoticeRequested
from apps.notifications.tasks import send_notice

logger = logging.getLogger(__name__)


@subscribe(NoticeRequested)
def hint_sending(event: NoticeRequested) -> None:
    """Have the notice sent now; without a broker the sweep does it once there is one."""
    try:
        send_notice.delay(str(event.notice_id))
    except OperationalError:
        logger.warning("No broker: notice %s waits for the sweep", event.notice_id)
