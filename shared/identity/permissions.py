"""Roles of store members and what each may do, as the permission table of the specification says."""

from enum import StrEnum


class StoreType(StrEnum):
    BUYER = "buyer"
    VENDOR = "vendor"


class SystemRole(StrEnum):
    ADMIN = "admin"
    AGENT = "agent"


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MANAGER = "manager"
    OPS = "ops"
    STAFF = "staff"
    VIEWER = "viewer"


class Permission(StrEnum):
    BROWSE = "browse"
    WISHLIST_READ = "wishlist:read"
    WISHLIST_WRITE = "wishlist:write"
    ORDERS_READ = "orders:read"
    ORDERS_BUY = "orders:buy"
    ORDERS_DECIDE = "orders:decide"
    ORDERS_FULFIL = "orders:fulfil"
    NOTIFICATIONS = "notifications"
    MEDIA_READ = "media:read"
    MEDIA_WRITE = "media:write"
    CART_WRITE = "cart:write"
    CHECKOUT = "checkout"
    REVIEWS_WRITE = "reviews:write"
    CATALOG_WRITE = "catalog:write"
    INVENTORY_WRITE = "inventory:write"
    PROMOS_WRITE = "promos:write"
    LICENSES_WRITE = "licenses:write"
    MEMBERS_MANAGE = "members:manage"
    STORE_UPDATE = "store:update"
    STORE_DELETE = "store:delete"
    BILLING_MANAGE = "billing:manage"
    ADS_WRITE = "ads:write"
    ANALYTICS_READ = "analytics:read"


_ALL = frozenset(Role)
_STAFF = _ALL - {Role.VIEWER}
_OPS = _STAFF - {Role.STAFF}
_MANAGERS = frozenset({Role.OWNER, Role.ADMIN, Role.MANAGER})
_ADMINS = frozenset({Role.OWNER, Role.ADMIN})
_OWNER = frozenset({Role.OWNER})

_EVERYWHERE: dict[Permission, frozenset[Role]] = {
    Permission.BROWSE: _ALL,
    Permission.WISHLIST_READ: _ALL,
    Permission.ORDERS_READ: _ALL,
    Permission.NOTIFICATIONS: _ALL,
    Permission.MEDIA_READ: _ALL,
    Permission.MEDIA_WRITE: _STAFF,
    Permission.LICENSES_WRITE: _MANAGERS,
    Permission.MEMBERS_MANAGE: _MANAGERS,
    Permission.STORE_UPDATE: _MANAGERS,
    Permission.ANALYTICS_READ: _OPS,
    Permission.STORE_DELETE: _OWNER,
}

GRANTS: dict[StoreType, dict[Permission, frozenset[Role]]] = {
    StoreType.BUYER: {
        **_EVERYWHERE,
        Permission.WISHLIST_WRITE: _STAFF,
        Permission.CART_WRITE: _STAFF,
        Permission.CHECKOUT: _OPS,
        Permission.ORDERS_BUY: _OPS,
        Permission.REVIEWS_WRITE: _OPS,
    },
    StoreType.VENDOR: {
        **_EVERYWHERE,
        Permission.CATALOG_WRITE: _OPS,
        Permission.INVENTORY_WRITE: _OPS,
        Permission.PROMOS_WRITE: _OPS,
        Permission.ORDERS_DECIDE: _OPS,
        Permission.ORDERS_FULFIL: _STAFF,
        Permission.BILLING_MANAGE: _ADMINS,
        Permission.ADS_WRITE: _MANAGERS,
    },
}

TRADING = frozenset(
    {
        *(Permission.CHECKOUT, Permission.CATALOG_WRITE, Permission.INVENTORY_WRITE, Permission.PROMOS_WRITE),
        *(Permission.ORDERS_DECIDE, Permission.ORDERS_FULFIL, Permission.ADS_WRITE),
    }
)
"""Whose use, other than to look, is checking out or selling."""


def may(store_type: StoreType, role: Role, permission: Permission) -> bool:
    """Whether a member with `role` in a store of this type holds the permission."""
    return role in GRANTS[store_type].get(permission, frozenset())


def permissions_of(store_type: StoreType, role: Role) -> list[Permission]:
    """All that a member with `role` may do in a store of this type."""
    return [permission for permission, roles in GRANTS[store_type].items() if role in roles]
