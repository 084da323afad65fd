"""The outbox on its way to Pub/Sub."""
