"""One path from request to answer, the same for every route.

In order: who sends this (token), how often (limits), session and idempotency key in one round trip,
who may (guard), what is asked (validation), the route's function, the answer kept for repeats.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flask import Flask, request
from flask import Response as FlaskResponse
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WerkzeugMethodNotAllowed

from shared.kit import db, limits, redis
from shared.kit.auth import SESSION_KEY, Session, read_access_token, session_of
from shared.kit.config import CommonSettings, Settings
from shared.kit.context import Work, accepted_request_id, accepted_traceparent, work, working
from shared.kit.errors import ApiError, InternalError, InvalidRequest, MethodNotAllowed, NotFound, Unauthorized
from shared.kit.health import LIVE, READY, Health
from shared.kit.http import answers
from shared.kit.http.asked import Asked
from shared.kit.http.routes import Route
from shared.kit.idempotency import Attempt
from shared.kit.logging import log, metric
from shared.kit.schemas import Query
from shared.kit.tokens import BadToken

EXPOSED_HEADERS = "X-PF-Token, X-PF-Refresh-Token, X-Request-Id, Idempotency-Replayed, Retry-After"
ACCEPTED_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-PF-Refresh-Token, X-Request-Id, traceparent"


class CorsSettings(Settings):
    """Origins whose pages may call, separated by commas."""

    cors_origins: str = "http://localhost:3000"

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(origin.strip() for origin in self.cors_origins.split(",") if origin.strip())


class _App(Flask):
    """Flask, whose own answers to OPTIONS carry our headers too: a browser asks so before it sends anything."""

    def make_default_options_response(self) -> FlaskResponse:
        return _around(self.name, super().make_default_options_response)()


def application(name: str, routes: Sequence[Route], health: Health) -> Flask:
    """The Flask application of function `name`: its routes, its health, and one shape for all errors."""
    app = _App(name, static_folder=None)
    app.url_map.strict_slashes = False
    for route in routes:
        app.add_url_rule(route.path, f"{route.method} {route.path}", _view(name, route), methods=[route.method])
    for path in (LIVE, READY):
        app.add_url_rule(path, path, _around(name, partial(_health, health, path)))
    app.register_error_handler(HTTPException, lambda error: _around(name, lambda: _refuse(error))())
    return app


def _health(health: Health, path: str) -> FlaskResponse:
    told = health.answer(path)
    assert told is not None  # noqa: S101 - it is registered under the health routes alone
    return answers.success(told[0], status=told[1])


def _refuse(error: HTTPException) -> FlaskResponse:
    """The router's own refusals in our envelope."""
    if error.code is not None and error.code < 400:
        return FlaskResponse(status=error.code, headers=error.get_response().headers)
    return answers.failure(MethodNotAllowed() if isinstance(error, WerkzeugMethodNotAllowed) else NotFound())


def _view(name: str, route: Route) -> Callable[..., FlaskResponse]:
    return _around(name, lambda **path: _Exchange(route, path).answer(), action=route.name)


def _around(name: str, answer: Callable[..., FlaskResponse], action: str | None = None) -> Callable[..., FlaskResponse]:
    """Wrap an answer with the request id, the log lines, the error envelope and the common headers."""

    def view(**path: Any) -> FlaskResponse:
        this = Work(
            function=name,
            request_id=accepted_request_id(request.headers.get("X-Request-Id")),
            traceparent=accepted_traceparent(request.headers.get("traceparent")),
            action=action,
        )
        with working(this):
            started = time.perf_counter()
            error_code = None
            try:
                response = answer(**path)
            except ApiError as error:
                error_code = error.code
                response = answers.failure(error)
                if isinstance(error, Unauthorized):
                    metric("auth_failed", cause=error.reason)
            except Exception:
                error_code = InternalError.code
                log.exception("request_failed")
                response = answers.failure(InternalError())
            _add_headers(response)
            if action:
                took_ms = round((time.perf_counter() - started) * 1000, 1)
                log.info(
                    "request",
                    metric="request",
                    value=took_ms,
                    method=request.method,
                    route=str(request.url_rule),
                    status=response.status_code,
                    error_code=error_code,
                    duration_ms=took_ms,
                    sql_statements=this.sql_statements,
                    redis_trips=this.redis_trips,
                    pool_use=this.pool_use,
                )
            return response

    return view


def _add_headers(response: FlaskResponse) -> None:
    headers = response.headers
    headers["X-Request-Id"] = work().request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    if request.headers.get("Authorization"):
        headers["Cache-Control"] = "no-store"
    if CommonSettings.current().is_production:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    origin = request.headers.get("Origin")
    if origin and origin in CorsSettings.current().origins:
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
        headers["Vary"] = "Origin"
        if request.method == "OPTIONS":
            headers["Access-Control-Allow-Headers"] = ACCEPTED_HEADERS
            headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "GET, POST")
            headers["Access-Control-Max-Age"] = "600"


class _Exchange:
    """One request on its way through the steps above."""

    def __init__(self, route: Route, path: dict[str, Any]) -> None:
        self.route = route
        self.path = path
        self.asked = Asked(request, route.takes)

    def answer(self) -> FlaskResponse:
        """The response. Raises ApiError for everything that is not a success."""
        self._read_token()
        limits.count(self.route.limits, self.asked)
        attempt = self._attempt()
        if attempt is None:
            return self._perform(self._find_session())
        stored_session, stored_answer = attempt.begin(self._session_key)
        if stored_answer is None:
            return self._perform_once(attempt, stored_session)
        self._admitted(stored_session)
        return answers.replayed(stored_answer)

    def _read_token(self) -> None:
        """A route for strangers looks at no token, so that a stale one keeps nobody from signing in."""
        if not self.route.guard.needs_session:
            return
        token = self.asked.bearer
        if token is None:
            raise BadToken
        self.asked.claims = read_access_token(token)

    @property
    def _session_key(self) -> str | None:
        return SESSION_KEY + self.asked.claims.sid if self.asked.claims else None

    def _find_session(self) -> str | None:
        if self._session_key is None:
            return None
        with redis.round_trip() as client:
            held = client.get(self._session_key)
        return None if held is None else str(held)

    def _attempt(self) -> Attempt | None:
        if self.route.idempotent_s is None:
            return None
        who = (self.asked.user or f"address:{self.asked.address}", self.asked.store or "")
        scope = (*who, self.route.method, request.path)
        key = self.asked.header("Idempotency-Key")
        return Attempt.of(scope, key, self.asked.identity, keep_s=self.route.idempotent_s)

    def _perform_once(self, attempt: Attempt, stored_session: str | None) -> FlaskResponse:
        try:
            response = self._perform(stored_session)
        except ApiError as error:
            if _is_final(error):
                response = answers.failure(error)
                attempt.finish(answers.to_store(response))
            else:
                attempt.release()
            raise
        except Exception:
            attempt.release()
            raise
        attempt.finish(answers.to_store(response))
        return response

    def _perform(self, stored_session: str | None) -> FlaskResponse:
        arguments = self._arguments(self._admitted(stored_session))
        result = db.retrying(lambda: self.route.handler(*arguments[0], **arguments[1]))
        return answers.success(result, status=self.route.status)

    def _admitted(self, stored_session: str | None) -> Any:
        """The caller that the guard lets in. Raises BadToken, Forbidden."""
        session: Session | None = None
        if self.asked.claims is not None:
            session = session_of(self.asked.claims, stored_session)
            work().user_id, work().store_id = session.user_id, session.store_id
        return self.route.guard.admit(session, writes=self.asked.writes)

    def _arguments(self, caller: Any) -> tuple[list[Any], dict[str, Any]]:
        named: dict[str, Any] = dict(self.path)
        if any("\x00" in part for part in named.values() if isinstance(part, str)):
            raise NotFound  # no text that the database holds has it
        if self.route.body is not None:
            named["body"] = _valid(self.route.body, self.asked.json())
        if self.route.query is not None:
            named["query"] = _valid(self.route.query, _query_values(self.route.query))
        elif request.args:
            raise InvalidRequest.field(next(iter(request.args)), "This field is not known.")
        if self.route.wants_asked:
            named["asked"] = self.asked
        if self.route.wants_file:
            named["file"] = self.asked.file
        return ([] if caller is None else [caller]), named


def _is_final(error: ApiError) -> bool:
    """Whether a refusal is kept and repeated, as opposed to one that a later try may overcome."""
    return error.status < 500 and error.status not in {401, 429}


def _valid(model: type[BaseModel], value: Any) -> BaseModel:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise answers.invalid(error.errors(include_url=False, include_input=False)) from None


def _query_values(model: type[Query]) -> dict[str, Any]:
    """Query parameters for `model`; a list may be written `a,b` or repeated."""
    values: dict[str, Any] = {}
    for name in request.args:
        given = request.args.getlist(name)
        if any("\x00" in value for value in given):
            raise InvalidRequest.field(name, "This may not contain the character U+0000.")
        field = model.model_fields.get(name)
        if field is not None and _is_list(field.annotation):
            values[name] = [part for value in given for part in value.split(",") if part]
        elif len(given) > 1:
            raise InvalidRequest.field(name, "Give this parameter once.")
        else:
            values[name] = given[0]
    return values


def _is_list(annotation: Any) -> bool:
    from typing import get_args, get_origin

    return get_origin(annotation) in (list, tuple) or any(_is_list(inner) for inner in get_args(annotation))
