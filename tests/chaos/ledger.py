"""What the witness writes, and the events that are to fail on it. Imported by it without the package `tests`."""

NAME = "on_chaos_witness"

TABLES = """
    CREATE TABLE chaos_effects (event_id uuid NOT NULL, aggregate_id uuid NOT NULL);
    CREATE TABLE chaos_latest (aggregate_id uuid PRIMARY KEY, sequence bigint NOT NULL);
    CREATE TABLE chaos_trouble (aggregate_id uuid PRIMARY KEY, failures_left int NOT NULL, failed int NOT NULL);
"""
