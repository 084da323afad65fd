"""The gateway: which function gets a request, and what becomes of one that does not start."""

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from infra.local.gateway.loading import Served, load
from infra.local.gateway.routing import Gateway
from infra.manifest import Manifest
from infra.manifest import load as manifest_of

_RUN = {
    "memory_mb": 512,
    "concurrency": 1,
    "timeout_s": 60,
    "min_instances": 0,
    "max_instances": 1,
    "pool_size": 1,
    "ingress": "internal-only",
    "service_account": "someone",
}


def a_manifest(name: str, **trigger: Any) -> Manifest:
    return Manifest.model_validate(
        {"name": name, "summary": f"All about {name}", "context": "orders", "trigger": trigger, "run": _RUN}
    )


def a_function(name: str, *routes: str, failure: str | None = None) -> Served:
    """A function that answers its name and what it was asked; without routes it has a topic."""
    manifest = a_manifest(name, **({"kind": "http", "routes": routes} if routes else {"kind": "topic", "topic": name}))
    return Served(manifest, None if failure else _echo(name), failure)


def _echo(name: str) -> Any:
    @Request.application
    def app(request: Request) -> Response:
        told = {
            "function": name,
            "path": request.path,
            "root": request.root_path,
            "forwarded": request.headers.get("X-Forwarded-For"),
        }
        status = 503 if name == "sick" and "health" in request.path else 200
        return Response(json.dumps(told), status=status, content_type="application/json")

    return app


def asked(served: list[Served], path: str, **headers: str) -> Any:
    return Client(Gateway(served)).get(path, headers=headers)


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/api/v1/admin/orders", "payouts"),
        ("/api/v1/admin/orders/7/confirm-payout", "payouts"),
        ("/api/v1/admin/users", "admin"),
        ("/api/v1/admin", "admin"),
        ("/api/v1/orders", "orders"),
        ("/api/v1/orders/7", "orders"),
    ],
)
def test_the_longest_prefix_in_whole_segments_decides(path, owner):
    served = [
        a_function("admin", "/api/v1/admin"),
        a_function("orders", "/api/v1/orders", "/api/v1/vendor/orders"),
        a_function("payouts", "/api/v1/admin/orders", "/api/v1/admin/ledger"),
    ]

    assert asked(served, path).json["function"] == owner
    assert asked(served, path).json["path"] == path


@pytest.mark.parametrize("path", ["/api/v1/ordersandmore", "/api/v1", "/nowhere", "/_functions/nobody"])
def test_what_nobody_owns_is_not_found_in_the_usual_envelope(path):
    answer = asked([a_function("orders", "/api/v1/orders")], path, **{"X-Request-Id": "request-0042"})

    assert (answer.status_code, answer.headers["X-Request-Id"]) == (404, "request-0042")
    assert answer.json == {
        "error": {
            "code": "NOT_FOUND",
            "message": "No function serves this path; see / for those that do.",
            "request_id": "request-0042",
        }
    }


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("/_functions/on_order_ready", "/"),
        ("/_functions/on_order_ready/", "/"),
        ("/_functions/on_order_ready/health/live", "/health/live"),
    ],
)
def test_events_reach_a_function_by_its_name_as_if_it_were_alone(path, inside):
    answer = asked([a_function("on_order_ready")], path)

    assert (answer.json["function"], answer.json["path"]) == ("on_order_ready", inside)
    assert answer.json["root"] == "/_functions/on_order_ready"


def test_the_clients_address_is_added_behind_what_it_claims():
    served = [a_function("orders", "/api/v1/orders")]

    plain = asked(served, "/api/v1/orders")
    claimed = asked(served, "/api/v1/orders", **{"X-Forwarded-For": "203.0.113.7"})

    assert plain.json["forwarded"] == "127.0.0.1"
    assert claimed.json["forwarded"] == "203.0.113.7, 127.0.0.1"


def test_a_function_that_does_not_start_says_so_and_leaves_the_others_alone():
    served = [a_function("orders", "/api/v1/orders", failure="SettingMissing: no"), a_function("cart", "/api/v1/cart")]

    broken, whole, health = (asked(served, path) for path in ("/api/v1/orders", "/api/v1/cart", "/health/live"))

    assert (broken.status_code, broken.json["error"]["code"]) == (503, "DEPENDENCY_ERROR")
    assert broken.json["error"]["message"] == "Function orders does not start: SettingMissing: no"
    assert (whole.status_code, whole.json["function"]) == (200, "cart")
    assert (health.status_code, health.json["data"]) == (
        503,
        {"status": "down", "functions": {"orders": "down", "cart": "ok"}},
    )


def test_health_is_that_of_every_function():
    well = asked([a_function("orders", "/api/v1/orders"), a_function("on_order_ready")], "/health/ready")
    unwell = asked([a_function("orders", "/api/v1/orders"), a_function("sick")], "/health/ready")

    assert (well.status_code, well.json["data"]["status"]) == (200, "ok")
    assert (unwell.status_code, unwell.json["data"]["functions"]) == (503, {"orders": "ok", "sick": "down"})


def test_the_index_lists_functions_for_programs_and_for_people():
    served = [a_function("orders", "/api/v1/orders"), a_function("on_order_ready", failure="<oh> no")]

    told = asked(served, "/", Accept="application/json")
    shown = asked(served, "/", Accept="text/html,*/*")

    assert told.json["data"]["functions"] == [
        {
            "name": "orders",
            "summary": "All about orders",
            "trigger": "HTTP",
            "addresses": ["/api/v1/orders"],
            "failure": None,
        },
        {
            "name": "on_order_ready",
            "summary": "All about on_order_ready",
            "trigger": "topic on_order_ready",
            "addresses": ["/_functions/on_order_ready"],
            "failure": "<oh> no",
        },
    ]
    assert shown.content_type == "text/html; charset=utf-8"
    assert "Called by clients" in shown.text
    assert "Does not start: &lt;oh&gt; no" in shown.text


def test_real_functions_live_together_in_one_process(tmp_path: Path, database: None, object_storage):
    said: list[str] = []
    names = ("orders", "cart", "on_order_ready", "cron_order_ttl")

    served = load([manifest_of(name) for name in names], tmp_path, say=said.append)
    client = Client(Gateway(served))
    orders = client.get("/api/v1/orders")
    cart = client.post("/api/v1/cart", json={})
    event = client.post("/_functions/on_order_ready", json={"message": {}})
    job = client.get("/_functions/cron_order_ttl")
    ready = client.get("/health/ready")
    document = client.get("/openapi.json")

    assert said == []
    assert [(answer.status_code, answer.json["error"]["code"]) for answer in (orders, cart, job)] == [
        (401, "UNAUTHORIZED"),
        (401, "UNAUTHORIZED"),
        (405, "METHOD_NOT_ALLOWED"),
    ]
    assert event.status_code == 204  # unreadable, so kept as a dead letter and not sent again
    assert (ready.status_code, ready.json["data"]["functions"]) == (200, dict.fromkeys(names, "ok"))
    assert {path.split("/")[3] for path in document.json["paths"]} == {"orders", "vendor", "cart"}
    assert client.get("/docs").status_code == 200


def test_a_function_whose_code_breaks_while_it_is_imported_is_told_by_name(tmp_path: Path, capsys):
    said: list[str] = []

    [served] = load([a_manifest("never_written", kind="topic", topic="x")], tmp_path, say=said.append)

    assert (served.app, served.failure) == (None, "ModuleNotFoundError: No module named 'functions.never_written'")
    assert said == [
        "Function never_written does not start: ModuleNotFoundError: No module named 'functions.never_written'"
    ]
    assert '"started": "never_written"' in capsys.readouterr().out
