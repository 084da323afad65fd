from tests.mail import fresh_sendgrid, sendgrid_server
from tests.maps import fresh_maps, maps_server
from tests.square import fresh_square, square_server

__all__ = [
    "fresh_maps",
    "fresh_sendgrid",
    "fresh_square",
    "maps_server",
    "sendgrid_server",
    "square_server",
]
