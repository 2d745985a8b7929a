"""How a view speaks a published contract.

A view decodes, calls one service or selector, encodes. What every call has in common is here:
the actor, the clock, one effect per idempotency key, the page of a list, the wording of a
refusal.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, cast

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.rules import Scope
from apps.accounts.services import require
from apps.accounts.tokens import digest
from apps.api.limits import RateClass, check
from apps.api.problems import Problem, answer_to, wording
from apps.core import idempotency
from apps.core.actor import Actor, ActorKind
from apps.core.errors import Invalid, NotFound

NOT_KEPT = {401, 403, 408, 429}

Handler = Callable[..., HttpResponseBase]


class Window(serializers.Serializer[Any]):
    """The part of a list that the caller asks for."""

    limit = serializers.IntegerField(min_value=1, max_value=500, required=False)
    offset = serializers.IntegerField(min_value=0, max_value=10_000_000, default=0)


class Contract(ABC):
    """How one published contract wraps what it says."""

    default_limit: ClassVar[int] = 50

    @abstractmethod
    def success(self, data: Any) -> Any:
        """Wrap one answer."""

    @abstractmethod
    def page(self, items: Sequence[Any], *, total: int, limit: int, offset: int) -> Any:
        """Wrap one page of a list."""

    def failure(self, problem: Problem, request: Request) -> Any:
        """Word a refusal; under `/api` all contracts share one body."""
        return wording(problem, request.path, timezone.now())


class ContractView(APIView):
    """A view that speaks one contract. Subclass it once in each contract.

    `needs` names permissions of which the caller must hold one. That is asked once the caller is
    known and before anything that was sent is looked at; the services ask it again.
    `secret_answers` is for the few views whose answers hold a token: such an answer is never
    kept, so an idempotency key has no effect there. `rate` is the class in which its calls count.
    """

    contract: ClassVar[Contract]
    needs: ClassVar[tuple[str, ...]] = ()
    secret_answers: ClassVar[bool] = False
    rate: ClassVar[RateClass] = RateClass.STANDARD

    @property
    def actor(self) -> Actor:
        """Return who calls; anonymous only where the view asks for nobody."""
        found = self.request.auth
        return found if isinstance(found, Actor) else Actor(ActorKind.PERSON, "anonymous")

    def acting_for(self, name: str | None) -> Actor:
        """Return the caller, on behalf of `name` where it is a machine that may say so."""
        actor = self.actor
        trusted = actor.kind is ActorKind.SERVICE and Scope.ACT_FOR_USERS in actor.scopes
        return replace(actor, on_behalf_of=name or "") if trusted else actor

    def read(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """Return the body's checked values. Raises ValidationError."""
        found = serializer(data=self.request.data)
        found.is_valid(raise_exception=True)
        return dict(found.validated_data)

    def query(self, serializer: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        """Return the checked values of the query. Raises ValidationError."""
        found = serializer(data=self.request.query_params.dict())
        found.is_valid(raise_exception=True)
        return dict(found.validated_data)

    def answer(self, data: Any, status: int = 200) -> Response:
        """Say one thing."""
        return Response(self.contract.success(data), status=status)

    def answer_page(
        self, rows: QuerySet[Any], serializer: type[serializers.BaseSerializer[Any]]
    ) -> Response:
        """Say one page of the rows, as the query's limit and offset ask."""
        window = self.query(Window)
        limit = window.get("limit", self.contract.default_limit)
        offset = window["offset"]
        items = serializer(rows[offset : offset + limit], many=True).data
        return Response(
            self.contract.page(items, total=rows.count(), limit=limit, offset=offset)
        )

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Run one call: authenticate, decode, do it once, word what went wrong."""
        self.args, self.kwargs, self.at = args, kwargs, timezone.now()
        self.headers = self.default_response_headers
        self.request = request = self.initialize_request(request, *args, **kwargs)
        try:
            _measure(request)
            self.initial(request, *args, **kwargs)
            _refuse_nul(request, kwargs)
            known = request.method.lower() in self.http_method_names
            name = request.method.lower() if known else "http_method_not_allowed"
            handler = getattr(self, name, self.http_method_not_allowed)
            response = self._once(handler) if self._keyed() else handler(request, **kwargs)
        except Exception as exc:  # noqa: BLE001 - every fault is worded or logged below
            response = self.handle_exception(exc)
        said = cast("Response", response)
        self.response = self.finalize_response(request, said, *args, **kwargs)
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find out who calls, and turn away who may not."""
        super().initial(request, *args, **kwargs)
        if self.needs and not any(map(self.actor.may, self.needs)):
            self.turn_away()

    def perform_authentication(self, request: Request) -> None:
        """Find out who calls, and count the call; who shows a wrong token counts as a stranger."""
        actor: Actor | None = None
        try:
            super().perform_authentication(request)
            actor = request.auth if isinstance(request.auth, Actor) else None
        finally:
            if request.path.startswith("/api"):
                check(request._request, actor, self.rate, at=self.at.timestamp())

    def turn_away(self) -> None:
        """Refuse a caller who holds nothing of what the view needs; it goes on the trail."""
        require(self.actor, self.needs[0])

    def handle_exception(self, exc: Exception) -> Response:
        """Word a refusal in the contract's shape; a fault of ours is logged, and 500."""
        problem = answer_to(exc)
        headers = dict(problem.headers)
        if problem.status == 401:
            headers["WWW-Authenticate"] = (
                self.get_authenticate_header(self.request) or "Bearer"
            )
        body = self.contract.failure(problem, self.request)
        return Response(body, status=problem.status, headers=headers)

    def _keyed(self) -> bool:
        return (
            self.request.method == "POST"
            and not self.secret_answers
            and "Idempotency-Key" in self.request.headers
        )

    def _once(self, handler: Handler) -> HttpResponseBase:
        """Do the call once for its key; key, effect and answer commit together."""
        request = self.request
        tried = idempotency.attempt(
            principal=self._principal(),
            key=request.headers["Idempotency-Key"],
            method="POST",
            path=request.get_full_path(),
            body=request._request.body,
        )
        with transaction.atomic():
            kept = idempotency.begin(tried, at=self.at)
            if kept is not None:
                response = HttpResponse(kept.body, kept.content_type, kept.status)
                response["Idempotency-Replayed"] = "true"
                return response
            return self._first(handler, tried)

    def _first(self, handler: Handler, tried: idempotency.Attempt) -> HttpResponseBase:
        try:
            with transaction.atomic():
                done = handler(self.request, **self.kwargs)
        except Exception as exc:  # noqa: BLE001 - every fault is worded or logged
            done = self.handle_exception(exc)
        response = self.finalize_response(self.request, cast("Response", done))
        if isinstance(response, Response):
            response.render()
        if response.status_code >= 500:
            transaction.set_rollback(True)
        elif response.status_code not in NOT_KEPT and isinstance(response, HttpResponse):
            answer = idempotency.Answer(
                response.status_code, response.headers["Content-Type"], response.content
            )
            idempotency.keep(tried, answer, at=self.at)
        return response

    def _principal(self) -> str:
        actor = self.actor
        if actor.kind is ActorKind.SERVICE:
            return f"service:{digest(self.request.META['HTTP_AUTHORIZATION'])}"
        return f"user:{actor.user_id}"


def _measure(request: Request) -> None:
    """Say how long a body is that came in pieces; the framework takes it for empty else."""
    meta = request._request.META
    if "HTTP_TRANSFER_ENCODING" in meta and "CONTENT_LENGTH" not in meta:
        meta["CONTENT_LENGTH"] = str(len(request._request.body))


def _refuse_nul(request: Request, kwargs: dict[str, Any]) -> None:
    if any("\0" in str(value) for value in kwargs.values()):
        raise NotFound("Not found")
    for name, values in request.query_params.lists():
        if any("\0" in text for text in (name, *values)):
            raise Invalid("The query holds a NUL character.")
