"""Stores: one's own, its people, the vendor directory, and what others see of it.

Serves /api/v1/stores and /api/v1/admin/stores. Publishes member_invited.
"""

from functions.stores import administration, directory, invitations, members, profile, storefront
from shared.kit.http import serve

main = serve("stores", profile.api, members.api, invitations.api, directory.api, storefront.api, administration.api)
