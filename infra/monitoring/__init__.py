"""What is watched: every metric, and the dashboards and alerts made of them, as files that `make monitoring` writes."""
