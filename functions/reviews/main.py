"""Reviews: written by buyers, hidden by admins. They are read with what they are about.

Serves /api/v1/reviews and /api/v1/admin/reviews.
"""

from functions.reviews import moderating, writing
from shared.kit.http import serve

main = serve("reviews", writing.api, moderating.api)
