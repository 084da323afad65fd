"""Benchmarks: figures beside a floor measured in the same run. Nothing here fails on time."""
