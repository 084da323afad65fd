"""Refusals in the shape of Cloud Storage's XML API: https://cloud.google.com/storage/docs/xml-api/reference-status."""

from http import HTTPStatus
from xml.sax.saxutils import escape


class Refused(Exception):
    """A request that Cloud Storage would not serve: its status, its code, and what is wrong in words."""

    def __init__(self, status: HTTPStatus, code: str, message: str, *, details: str = "", parameter: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.parameter = parameter

    @property
    def xml(self) -> bytes:
        """The body of the answer."""
        told = {
            "Code": self.code,
            "Message": self.message,
            "ParameterName": self.parameter,
            "Details": self.details,
        }
        parts = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in told.items() if value)
        return f"<?xml version='1.0' encoding='UTF-8'?><Error>{parts}</Error>".encode()


def access_denied(details: str) -> Refused:
    """Nobody has shown that they may do this."""
    return Refused(HTTPStatus.FORBIDDEN, "AccessDenied", "Access denied.", details=details)


def malformed(parameter: str, details: str) -> Refused:
    """A part of the signature, or of what it covers, cannot be read."""
    return Refused(
        HTTPStatus.BAD_REQUEST,
        "MalformedSecurityHeader",
        "Your request has a malformed header.",
        details=details,
        parameter=parameter,
    )
