"""The refusals of Pub/Sub, each with the name of the gRPC status that a client receives."""


class PubsubError(Exception):
    """A call that the service refuses; `code` is the name of a gRPC status."""

    code: str


class AlreadyExists(PubsubError):
    code = "ALREADY_EXISTS"


class NotFound(PubsubError):
    code = "NOT_FOUND"


class InvalidArgument(PubsubError):
    code = "INVALID_ARGUMENT"


class OutOfRange(PubsubError):
    code = "OUT_OF_RANGE"


class FailedPrecondition(PubsubError):
    code = "FAILED_PRECONDITION"


class Unavailable(PubsubError):
    code = "UNAVAILABLE"


class Unimplemented(PubsubError):
    """Google has it, this emulator does not: said aloud rather than silently left out."""

    code = "UNIMPLEMENTED"
