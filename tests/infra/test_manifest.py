from pathlib import Path

import pytest

from infra.manifest import HttpTrigger, ManifestError, ScheduleTrigger, TopicTrigger, load, load_all, names

RUN = """
[run]
memory_mb = 512
concurrency = 8
timeout_s = 30
min_instances = 0
max_instances = 10
pool_size = 4
ingress = "internal-only"
service_account = "jars"
"""
ORDERS = f"""
name = "orders"
summary = "Buyer and vendor sides of an order"
context = "orders"

[trigger]
kind = "http"
routes = ["/api/v1/orders", "/api/v1/vendor/orders"]

[events]
publishes = ["order_decided"]

[data]
writes = ["vendor_orders"]

[needs]
settings = ["PF_DATABASE_URL"]
secrets = ["PF_JWT_KEYS"]
{RUN}"""
NOTIFY = f"""
name = "on_event_notify"
summary = "Tells people"
context = "notifications"
trigger = {{ kind = "topic", topic = "notifications" }}
events = {{ consumes = ["order_decided"] }}
{RUN}"""


def _folder(root: Path, **manifests: str) -> Path:
    for name, text in manifests.items():
        (root / name).mkdir()
        (root / name / "function.toml").write_text(text)
    return root


def test_a_manifest_is_read_whole(tmp_path: Path) -> None:
    orders = load("orders", _folder(tmp_path, orders=ORDERS))

    assert orders.trigger == HttpTrigger(kind="http", routes=("/api/v1/orders", "/api/v1/vendor/orders"))
    assert orders.routes == ("/api/v1/orders", "/api/v1/vendor/orders")
    assert orders.topic is None
    assert orders.events.publishes == ("order_decided",)
    assert orders.events.consumes == ()
    assert orders.data.writes == ("vendor_orders",)
    assert orders.needs.secrets == ("PF_JWT_KEYS",)
    assert orders.run.memory_mb == 512


def test_all_are_read_in_order_of_name(tmp_path: Path) -> None:
    folder = _folder(tmp_path, orders=ORDERS, on_event_notify=NOTIFY)

    assert names(folder) == ["on_event_notify", "orders"]
    notify, orders = load_all(folder)

    assert notify.trigger == TopicTrigger(kind="topic", topic="notifications")
    assert (notify.topic, notify.routes) == ("notifications", ())
    assert orders.name == "orders"


def test_a_schedule_has_its_time_zone(tmp_path: Path) -> None:
    trigger = 'trigger = { kind = "schedule", schedule = "0 6 * * *", time_zone = "America/Chicago" }'
    text = NOTIFY.replace('trigger = { kind = "topic", topic = "notifications" }', trigger)

    assert load("on_event_notify", _folder(tmp_path, on_event_notify=text)).trigger == ScheduleTrigger(
        kind="schedule", schedule="0 6 * * *", time_zone="America/Chicago"
    )


@pytest.mark.parametrize(
    ("wrong", "right", "finding"),
    [
        ('owner = "me"\nname = "orders"', 'name = "orders"', "owner: unknown key"),
        ("", 'context = "orders"', "context: missing"),
        ("memory = 512", "memory_mb = 512", "run.memory_mb: missing"),
        ('name = "carts"', 'name = "orders"', "name: is 'carts', but the folder is 'orders'"),
        ('kind = "mail"', 'kind = "http"', "trigger: input tag 'mail' found using 'kind' does not match"),
        ("concurrency = 0", "concurrency = 8", "run.concurrency: input should be greater than or equal to 1"),
        ('"/api/v1/orders/"', '"/api/v1/orders"', "trigger.http.routes.0: string should match pattern"),
        ("name = orders", 'name = "orders"', "not TOML: "),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, wrong: str, right: str, finding: str) -> None:
    assert right in ORDERS
    folder = _folder(tmp_path, orders=ORDERS.replace(right, wrong, 1))

    with pytest.raises(ManifestError) as refusal:
        load("orders", folder)

    assert f"functions/orders/function.toml: {finding}" in str(refusal.value)


def test_a_time_zone_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    trigger = 'trigger = { kind = "schedule", schedule = "0 6 * * *", time_zone = "America/Chigaco" }'
    text = NOTIFY.replace('trigger = { kind = "topic", topic = "notifications" }', trigger)

    with pytest.raises(ManifestError, match="'America/Chigaco' is not a time zone"):
        load("on_event_notify", _folder(tmp_path, on_event_notify=text))


def test_a_function_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"^There is no function 'jars': functions/jars/function.toml"):
        load("jars", tmp_path)
