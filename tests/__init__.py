from tests import settings as settings  # first of all, because it sets the environment that the rest reads
