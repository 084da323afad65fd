from tests.square import fresh_square, square_server

__all__ = ["fresh_square", "square_server"]
