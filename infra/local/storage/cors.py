"""Cross-origin answers from a bucket's own rules: https://cloud.google.com/storage/docs/cross-origin."""

from collections.abc import Collection, Sequence
from typing import Any, TypedDict


class CorsRule(TypedDict, total=False):
    """One entry of a bucket's `cors` list."""

    origin: Sequence[str]
    method: Sequence[str]
    responseHeader: Sequence[str]
    maxAgeSeconds: int


def uploads_and_reads_from(origins: Collection[str]) -> CorsRule:
    """What pages of these origins need to upload by signed URLs and to show what is there."""
    return {
        "origin": sorted(origins),
        "method": ["GET", "HEAD", "PUT"],
        "responseHeader": ["Content-Type", "x-goog-content-length-range", "ETag", "x-goog-hash"],
        "maxAgeSeconds": 3_600,
    }


def headers_for(rules: Sequence[Any], origin: str | None, method: str, *, preflight: bool = False) -> dict[str, str]:
    """The headers that let a page of `origin` use `method`; none when no rule allows it."""
    if origin is None:
        return {}
    for rule in rules:
        if _allows(rule.get("origin", ()), origin) and _allows(rule.get("method", ()), method):
            return _headers(rule, origin, preflight=preflight)
    return {}


def _allows(listed: Collection[str], asked: str) -> bool:
    return "*" in listed or asked in listed


def _headers(rule: CorsRule, origin: str, *, preflight: bool) -> dict[str, str]:
    shared = ", ".join(rule.get("responseHeader", ()))
    allowed = {"Access-Control-Allow-Origin": "*" if "*" in rule["origin"] else origin, "Vary": "Origin"}
    if not preflight:
        return allowed | {"Access-Control-Expose-Headers": shared}
    return allowed | {
        "Access-Control-Allow-Methods": ", ".join(rule["method"]),
        "Access-Control-Allow-Headers": shared,
        "Access-Control-Max-Age": str(rule.get("maxAgeSeconds", 0)),
    }
