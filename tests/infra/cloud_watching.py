"""A small stand-in for Cloud Logging's metrics and Cloud Monitoring, over gRPC: what we call, with what they add."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud import monitoring_dashboard_v1 as dashboards
from google.cloud import monitoring_v3 as monitoring
from google.cloud.logging_v2 import types as logging
from google.protobuf.empty_pb2 import Empty

PROJECT = "projects/shop"


@dataclass
class CloudWatching:
    """What the services hold, by name, and the calls that changed it."""

    held: dict[str, Any] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    channel: Any = None
    _count: int = 0

    def of(self, kind: str) -> list[Any]:
        """All of a kind: metrics, dashboards, alertPolicies, notificationChannels."""
        return [each for name, each in self.held.items() if name.startswith(f"{PROJECT}/{kind}/")]

    def create(self, kind: str, told: Any) -> Any:
        self._count += 1
        name = told.name if kind == "metrics" else f"{PROJECT}/{kind}/{self._count}"
        return self.keep(f"{PROJECT}/metrics/{told.name}" if kind == "metrics" else name, kind, told)

    def update(self, kind: str, told: Any) -> Any:
        assert told.name in self.held, f"NOT_FOUND {told.name}"
        return self.keep(told.name, kind, told)

    def keep(self, name: str, kind: str, told: Any) -> Any:
        self.calls.append(f"{kind} {name.rpartition('/')[2]}")
        if kind == "metrics":
            told.metric_descriptor.name = f"{PROJECT}/metricDescriptors/{told.name}"
        else:
            told.name = name
        if kind == "alertPolicies":
            for number, condition in enumerate(told.conditions):
                condition.name = f"{name}/conditions/{number}"
        if kind == "dashboards":
            told.etag = f"etag-{len(self.calls)}"
        self.held[name] = told
        return told

    def delete(self, name: str) -> Empty:
        self.calls.append(f"deleted {name.rpartition('/')[2]}")
        del self.held[name]
        return Empty()


def _services(cloud: CloudWatching) -> dict[str, dict[str, tuple[Any, Callable[[Any], Any]]]]:
    """By service and method: the type of its request, and what it answers."""
    log_metrics = {
        "ListLogMetrics": (
            logging.ListLogMetricsRequest,
            lambda _: logging.ListLogMetricsResponse(metrics=cloud.of("metrics")),
        ),
        "CreateLogMetric": (logging.CreateLogMetricRequest, lambda asked: cloud.create("metrics", asked.metric)),
        "UpdateLogMetric": (
            logging.UpdateLogMetricRequest,
            lambda asked: cloud.keep(asked.metric_name, "metrics", asked.metric),
        ),
    }
    policies = {
        "ListAlertPolicies": (
            monitoring.ListAlertPoliciesRequest,
            lambda _: monitoring.ListAlertPoliciesResponse(alert_policies=cloud.of("alertPolicies")),
        ),
        "CreateAlertPolicy": (
            monitoring.CreateAlertPolicyRequest,
            lambda asked: cloud.create("alertPolicies", asked.alert_policy),
        ),
        "UpdateAlertPolicy": (
            monitoring.UpdateAlertPolicyRequest,
            lambda asked: cloud.update("alertPolicies", asked.alert_policy),
        ),
        "DeleteAlertPolicy": (monitoring.DeleteAlertPolicyRequest, lambda asked: cloud.delete(asked.name)),
    }
    channels = {
        "ListNotificationChannels": (
            monitoring.ListNotificationChannelsRequest,
            lambda _: monitoring.ListNotificationChannelsResponse(
                notification_channels=cloud.of("notificationChannels")
            ),
        ),
        "CreateNotificationChannel": (
            monitoring.CreateNotificationChannelRequest,
            lambda asked: cloud.create("notificationChannels", asked.notification_channel),
        ),
        "UpdateNotificationChannel": (
            monitoring.UpdateNotificationChannelRequest,
            lambda asked: cloud.update("notificationChannels", asked.notification_channel),
        ),
    }
    boards = {
        "ListDashboards": (
            dashboards.ListDashboardsRequest,
            lambda _: dashboards.ListDashboardsResponse(dashboards=cloud.of("dashboards")),
        ),
        "CreateDashboard": (
            dashboards.CreateDashboardRequest,
            lambda asked: cloud.create("dashboards", asked.dashboard),
        ),
        "UpdateDashboard": (
            dashboards.UpdateDashboardRequest,
            lambda asked: cloud.update("dashboards", asked.dashboard),
        ),
    }
    return {
        "google.logging.v2.MetricsServiceV2": log_metrics,
        "google.monitoring.v3.AlertPolicyService": policies,
        "google.monitoring.v3.NotificationChannelService": channels,
        "google.monitoring.dashboard.v1.DashboardsService": boards,
    }


def _handler(kind: Any, answer: Callable[[Any], Any]) -> Any:
    return grpc.unary_unary_rpc_method_handler(
        lambda asked, _: answer(asked),
        request_deserializer=kind.deserialize,
        response_serializer=lambda told: (
            told.SerializeToString() if isinstance(told, Empty) else type(told).serialize(told)
        ),
    )


@contextmanager
def running_cloud() -> Iterator[CloudWatching]:
    """The services on a port of their own, with a channel to them."""
    cloud = CloudWatching()
    with ThreadPoolExecutor(2) as threads:
        server = grpc.server(threads)
        for service, methods in _services(cloud).items():
            handlers = {name: _handler(*method) for name, method in methods.items()}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        cloud.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        try:
            yield cloud
        finally:
            cloud.channel.close()
            server.stop(None).wait()
