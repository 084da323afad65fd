"""HTTP for functions: routes that say who may call them, and one path from request to answer."""

from shared.kit.http.answers import Reply
from shared.kit.http.api import Api, serve
from shared.kit.http.asked import Asked
from shared.kit.http.bodies import Body
from shared.kit.http.guards import Guard
from shared.kit.http.routes import Route

__all__ = ["Api", "Asked", "Body", "Guard", "Reply", "Route", "serve"]
