"""What the commerce benchmark serves: the cart and checkout functions behind one address, by gunicorn."""

from collections.abc import Iterable
from typing import Any

from functions.cart.main import main as cart
from functions.checkout.main import main as checkout


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Hand a request to the function that owns its path."""
    function: Any = cart if environ["PATH_INFO"].startswith("/api/v1/cart") else checkout
    answer: Iterable[bytes] = function.app(environ, start_response)
    return answer
