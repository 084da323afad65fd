"""Stores: one's own, its people, and what others see of it.

Serves /api/v1/stores and /api/v1/admin/stores. Publishes member_invited.
"""

from functions.stores import administration, invitations, members, profile
from shared.kit.http import serve

main = serve("stores", profile.api, members.api, invitations.api, administration.api)
