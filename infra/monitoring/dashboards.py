"""Dashboards: what one looks at, in four pages.

https://cloud.google.com/monitoring/api/ref_dashboards/rest/v1/projects.dashboards
"""

from dataclasses import dataclass

from infra.monitoring.log_metrics import RESOURCE, Json, type_of

_COLUMNS, _WIDTH, _HEIGHT = 48, 16, 16
_MINUTE = "60s"


@dataclass(frozen=True)
class Chart:
    """A chart of one metric: lines counted, or with `show` another view of its values. `only` narrows by labels."""

    title: str
    metric: str
    by: tuple[str, ...] = ()
    only: str = ""
    show: str = "ALIGN_DELTA"

    def widget(self) -> Json:
        """The chart as a dashboard holds it."""
        aggregation: Json = {
            "alignmentPeriod": _MINUTE,
            "perSeriesAligner": self.show,
            "crossSeriesReducer": "REDUCE_SUM" if self.show == "ALIGN_DELTA" else "REDUCE_MAX",
        }
        if self.by:
            aggregation["groupByFields"] = [self._field(name) for name in self.by]
        told = [f'metric.type="{type_of(self.metric)}"', f'resource.type="{RESOURCE}"', self.only]
        query = {"filter": " AND ".join(filter(None, told)), "aggregation": aggregation}
        kind = "STACKED_BAR" if self.show == "ALIGN_DELTA" else "LINE"
        data = {"timeSeriesQuery": {"timeSeriesFilter": query}, "plotType": kind, "targetAxis": "Y1"}
        return {"title": self.title, "xyChart": {"dataSets": [data], "yAxis": {"scale": "LINEAR"}}}

    @staticmethod
    def _field(name: str) -> str:
        return f"resource.label.{name}" if name == "service_name" else f"metric.label.{name}"


@dataclass(frozen=True)
class Dashboard:
    """A page of charts, three in a row."""

    key: str
    charts: tuple[Chart, ...]

    def layout(self) -> Json:
        """The dashboard as Cloud Monitoring takes it."""
        tiles = [
            {
                "xPos": index * _WIDTH % _COLUMNS,
                "yPos": index * _WIDTH // _COLUMNS * _HEIGHT,
                "width": _WIDTH,
                "height": _HEIGHT,
                "widget": chart.widget(),
            }
            for index, chart in enumerate(self.charts)
        ]
        return {
            "displayName": f"PackFinderz: {self.key}",
            "labels": {"packfinderz": self.key},
            "mosaicLayout": {"columns": _COLUMNS, "tiles": tiles},
        }


_P50, _P95, _P99 = "ALIGN_PERCENTILE_50", "ALIGN_PERCENTILE_95", "ALIGN_PERCENTILE_99"
_FAILED = 'metric.labels.status=monitoring.regex.full_match("5..")'
_CHECKOUT = 'metric.labels.route="/api/v1/checkout"'
_FILES = 'metric.labels.consumer=monitoring.regex.full_match("on_media_.*")'
_BILLING = "/api/v1/(vendor|admin)/(billing|subscriptions|payment-methods|square).*"
_MONEY = f'metric.labels.route=monitoring.regex.full_match("{_BILLING}")'

DASHBOARDS: tuple[Dashboard, ...] = (
    Dashboard(
        "commerce",
        (
            Chart("Requests by status", "request_count", ("status",)),
            Chart("Requests that failed, by route", "request_count", ("route",), _FAILED),
            Chart("Slowest twentieth by function (ms)", "request", ("service_name",), show=_P95),
            Chart("Quotes with items of a status", "quote_items_count", ("status",)),
            Chart("Quotes that warn, by what of", "quote_warnings_count", ("type",)),
            Chart("Checkouts", "checkout_converted_count"),
            Chart("Checkouts that conflicted, by reason", "checkout_conflict", ("reason",)),
            Chart("Checkouts with lines that found no stock", "reservation_failed_count"),
            Chart("Half of the checkouts take less (ms)", "request", (), _CHECKOUT, show=_P50),
            Chart("Orders by where they went", "order_moved", ("to",)),
            Chart("Orders whose window could not be ended", "order_ttl_failed"),
            Chart("Stores that could not be erased", "store_erasure_failed"),
            Chart("Proofs refused, by cause", "auth_failed", ("cause",)),
            Chart("Limits hit", "rate_limited", ("limit",)),
            Chart("Database connections in use (share)", "database_pool_use", ("service_name",), show=_P99),
            Chart("No connection in time", "database_pool_exhausted"),
            Chart("Google Maps does not answer", "maps_down", ("operation",)),
            Chart("Google Maps: quota used up", "maps_over_limit"),
            Chart("Google Maps does not know us", "maps_refused"),
            Chart("Instances started", "instance_started", ("started",)),
        ),
    ),
    Dashboard(
        "async",
        (
            Chart("Events that wait", "outbox_pending", show=_P99),
            Chart("Age of the oldest (s)", "outbox_oldest_s", show=_P99),
            Chart("Attempts to publish, by outcome", "publish_count", ("outcome",)),
            Chart("Publishing again, by event", "publish_count", ("event_type",), 'metric.labels.outcome="retried"'),
            Chart("Deliveries by outcome", "delivery_count", ("outcome",)),
            Chart(
                "Deliveries refused, by consumer", "delivery_count", ("consumer",), 'metric.labels.outcome="refused"'
            ),
            Chart("Slowest twentieth of deliveries (ms)", "delivery", ("consumer",), show=_P95),
            Chart("Dead letters", "dead_letter", ("consumer",)),
            Chart("Jobs that succeeded", "job_run_count", ("job",), 'metric.labels.outcome="succeeded"'),
            Chart("Jobs that failed", "job_run_count", ("job",), 'metric.labels.outcome="failed"'),
            Chart("How long jobs take (ms)", "job_run", ("job",), show=_P99),
            Chart("Invariants broken", "invariant_violations", ("check",), show=_P99),
            Chart("Invariants not looked at", "invariant_unchecked", ("check",)),
            Chart("Mails refused for good", "email_refused", ("template",)),
            Chart("Mails not taken", "email_down"),
            Chart("The mail service does not know us", "email_auth_failed"),
        ),
    ),
    Dashboard(
        "documents",
        (
            Chart("Files by stage and outcome", "delivery_count", ("consumer", "outcome"), _FILES),
            Chart("How long a stage takes (ms)", "delivery", ("consumer",), _FILES, show=_P95),
            Chart("Files given up on", "dead_letter", ("consumer",), _FILES),
            Chart("Licenses aged", "job_run_count", ("outcome",), 'metric.labels.job="cron_license_lifecycle"'),
            Chart("Uploads cleared away", "job_run_count", ("outcome",), 'metric.labels.job="cron_media_cleanup"'),
        ),
    ),
    Dashboard(
        "billing",
        (
            Chart("Requests about money, by status", "request_count", ("status",), _MONEY),
            Chart("Slowest twentieth of them (ms)", "request", ("route",), _MONEY, show=_P95),
            Chart("Square does not answer", "square_down", ("operation",)),
            Chart("Square does not know us", "square_auth_failed"),
            Chart("Payments stuck, by what they wait for", "payments_stuck", ("stage",), show=_P99),
        ),
    ),
)
