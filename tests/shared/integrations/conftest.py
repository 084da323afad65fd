from tests.mail import fresh_sendgrid, sendgrid_server
from tests.square import fresh_square, square_server

__all__ = ["fresh_sendgrid", "fresh_square", "sendgrid_server", "square_server"]
