"""What is watched: log-based metrics, dashboards, alert policies and who is told, as infra/monitoring has them.

Ours are known by their names (metrics) or by the label `packfinderz`; whatever else a project has is left alone.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from google.api_core.exceptions import NotFound
from google.api_core.retry import Retry, if_exception_type

from infra.manifest import Manifest
from infra.monitoring.__main__ import wanted
from infra.monitoring.agreeing import agrees, told_by
from infra.monitoring.log_metrics import Json
from infra.provision.steps import Step

if TYPE_CHECKING:
    from google.cloud.logging_v2.services.metrics_service_v2 import MetricsServiceV2Client
    from google.cloud.monitoring_dashboard_v1 import DashboardsServiceClient
    from google.cloud.monitoring_v3 import AlertPolicyServiceClient, NotificationChannelServiceClient

Client = TypeVar("Client")

_LABEL = "packfinderz"
# A metric that was made a moment ago is not yet known to those who make alerts of it.
_UNTIL_KNOWN = Retry(if_exception_type(NotFound), initial=5.0, maximum=30.0, timeout=300.0)


class Watching:
    """The services that watch a project, connected at first use (raising DefaultCredentialsError); or all of them
    at one `channel`."""

    def __init__(self, project: str, *, channel: Any = None) -> None:
        self.parent = f"projects/{project}"
        self._channel = channel

    @cached_property
    def log_metrics(self) -> "MetricsServiceV2Client":
        from google.cloud.logging_v2.services.metrics_service_v2 import MetricsServiceV2Client

        return self._made(MetricsServiceV2Client)

    @cached_property
    def alerts(self) -> "AlertPolicyServiceClient":
        from google.cloud.monitoring_v3 import AlertPolicyServiceClient

        return self._made(AlertPolicyServiceClient)

    @cached_property
    def channels(self) -> "NotificationChannelServiceClient":
        from google.cloud.monitoring_v3 import NotificationChannelServiceClient

        return self._made(NotificationChannelServiceClient)

    @cached_property
    def dashboards(self) -> "DashboardsServiceClient":
        from google.cloud.monitoring_dashboard_v1 import DashboardsServiceClient

        return self._made(DashboardsServiceClient)

    def _made(self, client: type[Client]) -> Client:
        if self._channel is None:
            return client()
        maker: Any = client
        made: Client = maker(transport=maker.get_transport_class("grpc")(channel=self._channel))
        return made


def plan(
    watching: Watching,
    manifests: list[Manifest],
    *,
    email: str = "",
    runbooks: str = "",
    compare: bool = True,
) -> list[Step]:
    """The steps from what is there to what is wanted; without `compare`, as if nothing were there.

    Alerts go to `email`, and their texts link to `runbooks`, the address under which this repository can be read.
    """
    files = wanted(manifests)
    of = {kind: {path: told for path, told in files.items() if path.startswith(f"{kind}/")} for kind in _FOLDERS}
    return [
        *_log_metrics(watching, of["log_metrics"].values(), compare),
        *_dashboards(watching, of["dashboards"].values(), compare),
        *(_channel(watching, email, compare) if email else ()),
        *_alerts(watching, [_linked(told, runbooks) for told in of["alerts"].values()], email, compare),
    ]


_FOLDERS = ("log_metrics", "dashboards", "alerts")


def _log_metrics(watching: Watching, files: Iterable[Json], compare: bool) -> Iterator[Step]:
    from google.cloud.logging_v2.types import LogMetric

    listed = watching.log_metrics.list_log_metrics(parent=watching.parent) if compare else ()
    there = {held.name: held for held in listed}
    for told in files:
        name, metric = told["name"], LogMetric.from_json(json.dumps(told))
        create = partial(_create_log_metric, watching, metric)
        yield _step("log metric", name, there.get(name), told, create, partial(_update_log_metric, watching, metric))


def _create_log_metric(watching: Watching, metric: Any) -> object:
    return watching.log_metrics.create_log_metric(parent=watching.parent, metric=metric)


def _update_log_metric(watching: Watching, metric: Any) -> object:
    path = f"{watching.parent}/metrics/{metric.name}"
    return watching.log_metrics.update_log_metric(metric_name=path, metric=metric)


def _dashboards(watching: Watching, files: Iterable[Json], compare: bool) -> Iterator[Step]:
    from google.cloud.monitoring_dashboard_v1 import Dashboard

    listed = watching.dashboards.list_dashboards(request={"parent": watching.parent}) if compare else ()
    there = {held.labels[_LABEL]: held for held in listed if _LABEL in held.labels}
    for told in files:
        key = told["labels"][_LABEL]
        dashboard, held = Dashboard.from_json(json.dumps(told)), there.get(key)
        if held is not None:
            dashboard.name, dashboard.etag = held.name, held.etag
        create = partial(_create_dashboard, watching, dashboard)
        yield _step("dashboard", key, held, told, create, partial(_update_dashboard, watching, dashboard))


def _create_dashboard(watching: Watching, dashboard: Any) -> object:
    return watching.dashboards.create_dashboard(request={"parent": watching.parent, "dashboard": dashboard})


def _update_dashboard(watching: Watching, dashboard: Any) -> object:
    return watching.dashboards.update_dashboard(request={"dashboard": dashboard})


def _channel(watching: Watching, email: str, compare: bool) -> Iterator[Step]:
    from google.cloud.monitoring_v3 import NotificationChannel

    told = {
        "type": "email",
        "displayName": "PackFinderz: operators",
        "labels": {"email_address": email},
        "userLabels": {_LABEL: "operators"},
    }
    channel, held = NotificationChannel.from_json(json.dumps(told)), _find_channel(watching) if compare else None
    if held is not None:
        channel.name = held.name
    create = partial(_create_channel, watching, channel)
    yield _step("channel", "operators", held, told, create, partial(_update_channel, watching, channel))


def _create_channel(watching: Watching, channel: Any) -> object:
    return watching.channels.create_notification_channel(name=watching.parent, notification_channel=channel)


def _update_channel(watching: Watching, channel: Any) -> object:
    return watching.channels.update_notification_channel(notification_channel=channel)


def _find_channel(watching: Watching) -> Any:
    listed = watching.channels.list_notification_channels(name=watching.parent)
    return next((held for held in listed if held.user_labels.get(_LABEL) == "operators"), None)


def _alerts(watching: Watching, files: list[Json], email: str, compare: bool) -> Iterator[Step]:
    listed = watching.alerts.list_alert_policies(name=watching.parent) if compare else ()
    there = {held.user_labels[_LABEL]: held for held in listed if _LABEL in held.user_labels}
    channel = _find_channel(watching) if compare and email else None
    for told in files:
        key = told["userLabels"][_LABEL]
        full = told | ({"notificationChannels": [channel.name]} if channel else {})
        # Whoever is told is made by a step before this one: until then no policy names them.
        named = full if channel or not email else full | {"notificationChannels": ["to be made"]}
        held, create = there.get(key), partial(_create_alert, watching, told, email)
        yield _step("alert", key, held, named, create, partial(_update_alert, watching, held, told, email))
    for key in sorted(there.keys() - {told["userLabels"][_LABEL] for told in files}):
        yield Step("remove", "alert", key, "", partial(_delete_alert, watching, there[key].name))


def _create_alert(watching: Watching, told: Json, email: str) -> object:
    policy = _policy(watching, told, email)
    return watching.alerts.create_alert_policy(name=watching.parent, alert_policy=policy, retry=_UNTIL_KNOWN)


def _update_alert(watching: Watching, held: Any, told: Json, email: str) -> object:
    policy = _policy(watching, told, email)
    policy.name = held.name
    return watching.alerts.update_alert_policy(alert_policy=policy, retry=_UNTIL_KNOWN)


def _delete_alert(watching: Watching, name: str) -> object:
    watching.alerts.delete_alert_policy(name=name)
    return name


def _policy(watching: Watching, told: Json, email: str) -> Any:
    from google.cloud.monitoring_v3 import AlertPolicy

    policy = AlertPolicy.from_json(json.dumps(told))
    if email:
        policy.notification_channels = [_find_channel(watching).name]
    return policy


def _linked(told: Json, runbooks: str) -> Json:
    """The alert with the address of its runbook, where one is known."""
    if not runbooks:
        return told
    documentation: Mapping[str, Any] = told["documentation"]
    content = documentation["content"].replace("](infra/runbooks/", f"]({runbooks.rstrip('/')}/infra/runbooks/")
    return told | {"documentation": {**documentation, "content": content}}


def _step(
    kind: str, name: str, held: Any, told: Json, create: Callable[[], object], change: Callable[[], object]
) -> Step:
    if held is None:
        return Step("create", kind, name, "", create)
    if agrees(told_by(held), told):
        return Step("keep", kind, name, "")
    return Step("change", kind, name, "", change)
