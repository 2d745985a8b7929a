"""The quick door of the event intake: what arrives together is committed together.

An ASGI application in front of Django for the two `events/correlate` calls. Requests that come
in while one transaction runs wait for the next and share it, so that the cost of a commit is
divided among them; an answer is sent after the commit, never before. Only what succeeds is
answered here: a request that is refused for whatever reason, or carries an idempotency key, is
passed on whole to the plain views, which word every refusal.
"""

from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from time import monotonic
from typing import Any

import orjson
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone
from prometheus_client import Counter
from rest_framework.exceptions import ParseError

from apps.accounts.selectors import actor_of_bearer
from apps.api.limits import RateClass, count
from apps.api.oms import receipts
from apps.api.oms.doors import (
    Again,
    App,
    Headers,
    Message,
    Receive,
    Scope,
    Send,
    Turns,
    bearer_of,
    limit_headers,
    plain_headers,
    send_json,
)
from apps.api.oms.gathering import Answer as Taken
from apps.api.oms.gathering import Gathering
from apps.api.parsers import parse_quickly
from apps.core.actor import Actor, ActorKind
from apps.outages import services
from apps.outages.rules import BadReport, Report, read_report

SINGLE = "/api/oms/events/correlate"
BATCH = "/api/oms/events/correlate/batch"
PERMISSION = "outages.report_event"
JSON_KINDS = (b"application/json", b"application/json;charset=utf-8")
MOST_REQUESTS = 256
MOST_EVENTS = 5_000
MOST_PUT_OFF = 100
LARGEST_SINGLE = 65_536
KEPT_SECONDS = 1.0

EVENTS = Counter(
    "oms_intake_events_total", "Events taken in by the quick door", ["outcome"]
)

_counter = cache(EVENTS.labels)

Said = tuple[int, bytes] | Again | None
Answer = Taken | Again | None


@dataclass(slots=True)
class Call:
    """One request on its way through the intake."""

    path: str
    token: str
    body: bytes
    actor: Actor | None = None
    reports: list[Report] = field(default_factory=list)
    items: list[dict[str, Any] | None] = field(default_factory=list)
    put_off: int = 0

    @property
    def waits(self) -> bool:
        """Return whether it waits for parts that others hold; else it is put off meanwhile."""
        return self.path != SINGLE or self.put_off >= MOST_PUT_OFF

    @property
    def by_coordinates(self) -> bool:
        """Return whether one of its events names nothing but coordinates."""
        return not all(any(report.place) for report in self.reports)


class Intake:
    """Answers event intake calls; passes everything else to the inner application."""

    def __init__(self, inner: App) -> None:
        self.inner = inner
        self.singles = Gathering(self._take, settings.CALLS_SOCKET)
        # One batch is read while another is written; single calls wait for neither.
        self.turns = {
            SINGLE: Turns[Call, Taken]("intake", answer_calls, MOST_REQUESTS),
            BATCH: Turns[Call, Taken]("batches", answer_calls, MOST_REQUESTS, threads=2),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        headers = _intake_headers(scope)
        if not headers:
            await self.inner(scope, receive, send)
            return
        messages, body = await _read_body(receive)
        answer = None
        if body is not None:
            take = self.singles.take if scope["path"] == SINGLE else self._take
            answer = await take(scope["path"], bearer_of(headers), body)
        if answer is None:
            await self.inner(scope, _replay(messages, receive), send)
            return
        await send_json(send, headers, *answer)

    async def _take(self, path: str, token: str, body: bytes) -> Taken | None:
        call = Call(path, token, body)
        if path == SINGLE and not _read_single(call, timezone.now()):
            return None
        return await self.turns[path].take(call)


def answer_calls(calls: Sequence[Call]) -> list[Answer]:
    """Take in the events of several requests; None where the plain view has to answer."""
    at = timezone.now()
    limits: Headers = []
    try:
        _keep_connection()
        actors = {
            token: actor_of_bearer(token, at=at) for token in {c.token for c in calls}
        }
        ready = [call for call in calls if _prepare(call, actors[call.token], at)]
        found = {id(call): answer for call, answer in _answer_all(ready, at)}
        if ready:
            told = count(ready[0].actor, "", RateClass.INTAKE, at=at.timestamp())
            limits = limit_headers(told)
    except Exception:  # noqa: BLE001 - the plain view meets the same fault and words it
        found = {}
    finally:
        close_old_connections()
    answers = (found.get(id(call)) for call in calls)
    return [(*one, limits) if isinstance(one, tuple) else one for one in answers]


def _keep_connection() -> None:
    """Let the thread keep its connection from turn to turn, for a while.

    To take one from the pool asks the database each time whether it is there, which takes long
    beside a turn. A turn that finds it gone is answered by the plain views.
    """
    if connection.connection is None:
        connection.ensure_connection()
        connection.close_at = monotonic() + KEPT_SECONDS
    connection.health_check_done = True  # type: ignore[attr-defined]


def _answer_all(ready: Sequence[Call], at: datetime) -> list[tuple[Call, Said]]:
    """Commit them together; where that fails, each alone, so that one cannot sink others."""
    answered: list[tuple[Call, Said]] = []
    for group in _groups(ready):
        try:
            answered.extend(zip(group, _commit(group, at), strict=True))
        except Exception:  # noqa: BLE001 - each is tried alone, or by the plain view
            answered.extend((call, _alone(call, at)) for call in group)
    return answered


def _alone(call: Call, at: datetime) -> Said:
    try:
        return _commit([call], at)[0]
    except Exception:  # noqa: BLE001 - the plain view meets the same fault and words it
        return None


def _groups(ready: Sequence[Call]) -> list[list[Call]]:
    """Divide the calls into transactions, so that none waits for what another needs.

    Apart are those that are put off from those that wait, and of these the events by
    coordinates, which need more.
    """
    groups: dict[tuple[bool, bool], list[Call]] = {}
    for call in ready:
        apart = (call.waits, call.waits and call.by_coordinates)
        groups.setdefault(apart, []).append(call)
    return [portion for _, group in sorted(groups.items()) for portion in _portions(group)]


def _portions(calls: Sequence[Call]) -> list[list[Call]]:
    portions: list[list[Call]] = []
    events = MOST_EVENTS
    for call in calls:
        if events + len(call.reports) > MOST_EVENTS:
            portions.append([])
            events = 0
        portions[-1].append(call)
        events += len(call.reports)
    return portions


def _read_single(call: Call, at: datetime) -> bool:
    """Read a single event while others still come in; return whether it can be answered here."""
    if len(call.body) > LARGEST_SINGLE:
        return False
    try:
        call.reports = [read_report(parse_quickly(call.body), at=at)]
    except (ParseError, BadReport):
        return False
    return True


def _prepare(call: Call, actor: Actor | None, at: datetime) -> bool:
    """Read one request; return whether it can be answered here."""
    if actor is None or not actor.may(PERMISSION) or actor.kind is not ActorKind.SERVICE:
        return False
    call.actor = actor
    if call.path == SINGLE:
        return True
    try:
        data = parse_quickly(call.body)
    except ParseError:
        return False
    events = data.get("events") if isinstance(data, dict) else None
    if not isinstance(events, list) or len(events) > receipts.LARGEST_BATCH:
        return False
    call.reports, call.items = receipts.read_batch(events, at=at)
    return True


def _commit(calls: Sequence[Call], at: datetime) -> list[Said]:
    pairs = [
        (call.actor, report) for call in calls if call.actor for report in call.reports
    ]
    if not all(call.waits for call in calls):
        free = services.take_free_reports(reports=pairs, at=at)
        return [_now_or_later(call, one) for call, one in zip(calls, free, strict=True)]
    taken = iter(services.take_reports(reports=pairs, at=at) if pairs else ())
    return [_body(call, [next(taken) for _ in call.reports]) for call in calls]


def _now_or_later(call: Call, taken: services.Receipt | None) -> Said:
    if taken is None:
        call.put_off += 1
        return Again.LATER
    return _body(call, [taken])


def _body(call: Call, taken: Sequence[services.Receipt]) -> Said:
    told = Tally("duplicate" if one.duplicate else one.disposition for one in taken)
    for outcome, number in told.items():
        _counter(outcome).inc(number)
    if call.path == SINGLE:
        body = receipts.receipt_body(taken[0])
        return receipts.receipt_status(taken[0]), orjson.dumps(body)
    return 200, orjson.dumps(receipts.answered_batch(call.items, taken))


def _intake_headers(scope: Scope) -> dict[bytes, bytes] | None:
    """Return the headers of a call that may be answered here, else None."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    if scope["path"] not in (SINGLE, BATCH) or scope["query_string"]:
        return None
    headers = plain_headers(scope)
    if headers is None or b"idempotency-key" in headers or b"content-encoding" in headers:
        return None
    kind = headers.get(b"content-type", b"").replace(b" ", b"").lower()
    length = headers.get(b"content-length", b"")
    huge = length.isdigit() and int(length[:20]) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    fits = kind in JSON_KINDS and not huge and bearer_of(headers)
    return headers if fits else None


async def _read_body(receive: Receive) -> tuple[list[Message], bytes | None]:
    """Return the messages read, and the body where it is whole and not too large."""
    messages: list[Message] = []
    size = 0
    while True:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            return messages, None
        size += len(message.get("body", b""))
        if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return messages, None
        if not message.get("more_body"):
            return messages, b"".join(m.get("body", b"") for m in messages)


def _replay(messages: list[Message], receive: Receive) -> Receive:
    """Return a receiver that repeats what was read and then goes on with the rest."""
    left = list(messages)

    async def again() -> Message:
        return left.pop(0) if left else await receive()

    return again
