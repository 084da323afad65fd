"""What the specification says of who may do what, written down a second time and by hand.

Nothing here is read from the code under test, so that the code and this table can only agree by being right.
"""

from dataclasses import dataclass

ROLES = ("owner", "admin", "manager", "ops", "staff", "viewer")
_ALL = frozenset(ROLES)
_TO_STAFF = frozenset(ROLES[:5])
_TO_OPS = frozenset(ROLES[:4])
_TO_MANAGER = frozenset(ROLES[:3])
_TO_ADMIN = frozenset(ROLES[:2])
_OWNER = frozenset(ROLES[:1])
_NOBODY = frozenset[str]()

# permission: (roles of a buyer store, roles of a vendor store)
PERMISSIONS = {
    "browse": (_ALL, _ALL),
    "wishlist:read": (_ALL, _ALL),
    "orders:read": (_ALL, _ALL),
    "notifications": (_ALL, _ALL),
    "media:read": (_ALL, _ALL),
    "wishlist:write": (_TO_STAFF, _NOBODY),
    "cart:write": (_TO_STAFF, _NOBODY),
    "checkout": (_TO_OPS, _NOBODY),
    "orders:buy": (_TO_OPS, _NOBODY),
    "reviews:write": (_TO_OPS, _NOBODY),
    "catalog:write": (_NOBODY, _TO_OPS),
    "inventory:write": (_NOBODY, _TO_OPS),
    "promos:write": (_NOBODY, _TO_OPS),
    "orders:decide": (_NOBODY, _TO_OPS),
    "orders:fulfil": (_NOBODY, _TO_STAFF),
    "media:write": (_TO_STAFF, _TO_STAFF),
    "licenses:write": (_TO_MANAGER, _TO_MANAGER),
    "members:manage": (_TO_MANAGER, _TO_MANAGER),
    "store:update": (_TO_MANAGER, _TO_MANAGER),
    "billing:manage": (_NOBODY, _TO_ADMIN),
    "ads:write": (_NOBODY, _TO_MANAGER),
    "analytics:read": (_TO_OPS, _TO_OPS),
    "store:delete": (_OWNER, _OWNER),
}

# With the flag `require_email_verification`: to check out or sell by writing needs a verified email.
_TRADING = {
    *("checkout", "catalog:write", "inventory:write", "promos:write", "orders:decide", "orders:fulfil", "ads:write"),
}
_ALSO_TRADING = {"POST /api/v1/orders/{order_id}/retry", "POST /api/v1/vendor/subscriptions"}

# `anyone` takes strangers, `user` whoever is signed in, `user*` even with a temporary password; `admin` and
# `agent` are system roles; `member`, `buyer` and `vendor` are roles in the active store with a permission.
_ROUTES = """
POST   /api/v1/address/resolve                                   anyone
GET    /api/v1/address/suggest                                   anyone
GET    /api/v1/admin/agents                                      admin
POST   /api/v1/admin/agents                                      admin
PATCH  /api/v1/admin/agents/{agent_id}                           admin
GET    /api/v1/admin/audit                                       admin
GET    /api/v1/admin/audit/export                                admin
POST   /api/v1/admin/announcements                               admin
POST   /api/v1/admin/auth/login                                  anyone
POST   /api/v1/admin/auth/register                               anyone
GET    /api/v1/admin/billing/plans                               admin
POST   /api/v1/admin/billing/plans                               admin
PATCH  /api/v1/admin/billing/plans/{plan_id}                     admin
DELETE /api/v1/admin/billing/plans/{plan_id}                     admin
GET    /api/v1/admin/dead-letters                                admin
POST   /api/v1/admin/dead-letters/replay                         admin
GET    /api/v1/admin/dead-letters/{letter_id}                    admin
POST   /api/v1/admin/dead-letters/{letter_id}/dismiss            admin
POST   /api/v1/admin/dead-letters/{letter_id}/replay             admin
GET    /api/v1/admin/flags                                       admin
PUT    /api/v1/admin/flags/{key}                                 admin
GET    /api/v1/admin/ledger                                      admin
GET    /api/v1/admin/licenses                                    admin
POST   /api/v1/admin/licenses/{license_id}/verify                admin
GET    /api/v1/admin/orders                                      admin
GET    /api/v1/admin/orders/payouts                              admin
GET    /api/v1/admin/orders/payouts/{order_id}                   admin
GET    /api/v1/admin/orders/{order_id}                           admin
POST   /api/v1/admin/orders/{order_id}/assign-agent              admin
POST   /api/v1/admin/orders/{order_id}/confirm-payout            admin
POST   /api/v1/admin/orders/{order_id}/payment/reject            admin
POST   /api/v1/admin/orders/{order_id}/payment/reset             admin
POST   /api/v1/admin/square/customers                            admin
GET    /api/v1/admin/reviews                                     admin
POST   /api/v1/admin/reviews/{review_id}/hide                    admin
POST   /api/v1/admin/reviews/{review_id}/unhide                  admin
GET    /api/v1/admin/stores                                      admin
PATCH  /api/v1/admin/stores/{store_id}/address                   admin
POST   /api/v1/admin/stores/{store_id}/reinstate                 admin
POST   /api/v1/admin/stores/{store_id}/suspend                   admin
POST   /api/v1/admin/users/{user_id}/reset-password              admin
GET    /api/v1/agent/orders                                      agent
GET    /api/v1/agent/orders/queue                                agent
GET    /api/v1/agent/orders/{order_id}                           agent
POST   /api/v1/agent/orders/{order_id}/cash-collected            agent
POST   /api/v1/agent/orders/{order_id}/claim                     agent
POST   /api/v1/agent/orders/{order_id}/deliver                   agent
POST   /api/v1/agent/orders/{order_id}/pickup                    agent
POST   /api/v1/auth/forgot-password                              anyone
POST   /api/v1/auth/login                                        anyone
POST   /api/v1/auth/logout                                       user*
POST   /api/v1/auth/logout-all                                   user*
GET    /api/v1/auth/me                                           user*
PATCH  /api/v1/auth/me                                           user
POST   /api/v1/auth/mfa/backup-codes                             user
POST   /api/v1/auth/mfa/confirm                                  user
POST   /api/v1/auth/mfa/disable                                  user
POST   /api/v1/auth/mfa/enroll                                   user
POST   /api/v1/auth/refresh                                      anyone
POST   /api/v1/auth/register                                     anyone
POST   /api/v1/auth/reset-password                               anyone
POST   /api/v1/auth/switch-store                                 user
POST   /api/v1/auth/update-password                              user*
POST   /api/v1/auth/verify-email                                 anyone
POST   /api/v1/auth/verify-email/resend                          user
GET    /api/v1/cart                                              buyer cart:write
POST   /api/v1/cart                                              buyer cart:write
DELETE /api/v1/cart                                              buyer cart:write
POST   /api/v1/checkout                                          buyer checkout
GET    /api/v1/checkout/shipping-options                         buyer cart:write
GET    /api/v1/checkout/{group_or_cart_id}/confirmation          buyer orders:read
GET    /api/v1/inventory                                         vendor browse
POST   /api/v1/inventory/bulk                                    vendor inventory:write
PUT    /api/v1/inventory/{product_id}                            vendor inventory:write
GET    /api/v1/licenses                                          member media:read
POST   /api/v1/licenses                                          member licenses:write
GET    /api/v1/licenses/{license_id}                             member media:read
DELETE /api/v1/licenses/{license_id}                             member licenses:write
GET    /api/v1/media                                             member media:read
POST   /api/v1/media/presign                                     member media:write
GET    /api/v1/media/{media_id}                                  member media:read
DELETE /api/v1/media/{media_id}                                  member media:write
GET    /api/v1/notifications                                     user
GET    /api/v1/notifications/preferences                         user
PATCH  /api/v1/notifications/preferences                         user
POST   /api/v1/notifications/read-all                            user
POST   /api/v1/notifications/{notification_id}/read              user
GET    /api/v1/orders                                            member orders:read
GET    /api/v1/orders/export                                     member orders:read
GET    /api/v1/orders/{order_id}                                 member orders:read
POST   /api/v1/orders/{order_id}/cancel                          buyer orders:buy
POST   /api/v1/orders/{order_id}/manifest                        vendor orders:fulfil
PUT    /api/v1/orders/{order_id}/manifest                        vendor orders:fulfil
POST   /api/v1/orders/{order_id}/nudge                           buyer orders:buy
POST   /api/v1/orders/{order_id}/retry                           buyer orders:buy
GET    /api/v1/products                                          buyer browse
GET    /api/v1/products/{product_id}                             buyer browse
GET    /api/v1/products/{product_id}/reviews                     member browse
POST   /api/v1/reviews                                           buyer reviews:write
DELETE /api/v1/reviews/{review_id}                               buyer reviews:write
GET    /api/v1/stores/me                                         member browse
PUT    /api/v1/stores/me                                         member store:update
PATCH  /api/v1/stores/me                                         member store:update
DELETE /api/v1/stores/me                                         member store:delete
GET    /api/v1/stores/me/users                                   member members:manage
POST   /api/v1/stores/me/users/invite                            member members:manage
PATCH  /api/v1/stores/me/users/{user_id}                         member members:manage
DELETE /api/v1/stores/me/users/{user_id}                         member members:manage
POST   /api/v1/stores/me/users/{user_id}/resend-invite           member members:manage
GET    /api/v1/stores/my                                         user
GET    /api/v1/stores/vendors                                    buyer browse
GET    /api/v1/stores/vendors/{store_id_or_slug}                 buyer browse
GET    /api/v1/stores/{store_id}                                 user
GET    /api/v1/stores/{store_id}/orders                          member orders:read
GET    /api/v1/stores/{store_id}/products                        buyer browse
GET    /api/v1/stores/{store_id}/reviews                         member browse
GET    /api/v1/vendor/billing/charges                            vendor billing:manage
GET    /api/v1/vendor/billing/plans                              vendor billing:manage
GET    /api/v1/vendor/billing/plans/{plan_id}                    vendor billing:manage
POST   /api/v1/vendor/orders/{order_id}/confirm-paid             vendor orders:decide
POST   /api/v1/vendor/orders/{order_id}/decision                 vendor orders:decide
POST   /api/v1/vendor/orders/{order_id}/fulfill                  vendor orders:fulfil
POST   /api/v1/vendor/orders/{order_id}/hold                     vendor orders:decide
POST   /api/v1/vendor/orders/{order_id}/line-items/decision      vendor orders:decide
POST   /api/v1/vendor/orders/{order_id}/release                  vendor orders:decide
GET    /api/v1/vendor/payment-methods                            vendor billing:manage
POST   /api/v1/vendor/payment-methods/cc                         vendor billing:manage
PATCH  /api/v1/vendor/payment-methods/{payment_method_id}        vendor billing:manage
DELETE /api/v1/vendor/payment-methods/{payment_method_id}        vendor billing:manage
GET    /api/v1/vendor/products                                   vendor browse
POST   /api/v1/vendor/products                                   vendor catalog:write
POST   /api/v1/vendor/products/import                            vendor catalog:write
GET    /api/v1/vendor/products/{product_id}                      vendor browse
PATCH  /api/v1/vendor/products/{product_id}                      vendor catalog:write
DELETE /api/v1/vendor/products/{product_id}                      vendor catalog:write
GET    /api/v1/vendor/promos                                     vendor browse
POST   /api/v1/vendor/promos                                     vendor promos:write
PATCH  /api/v1/vendor/promos/{promo_id}                          vendor promos:write
DELETE /api/v1/vendor/promos/{promo_id}                          vendor promos:write
GET    /api/v1/vendor/subscriptions                              vendor billing:manage
POST   /api/v1/vendor/subscriptions                              vendor billing:manage
POST   /api/v1/vendor/subscriptions/cancel                       vendor billing:manage
GET    /api/v1/wishlist                                          buyer wishlist:read
GET    /api/v1/wishlist/ids                                      buyer wishlist:read
POST   /api/v1/wishlist/items                                    buyer wishlist:write
DELETE /api/v1/wishlist/items/{product_id}                       buyer wishlist:write
"""


@dataclass(frozen=True)
class Rule:
    """Who may call a route."""

    method: str
    path: str
    kind: str
    permission: str | None = None

    @property
    def route(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def needs_verified_email(self) -> bool:
        """Whether this is checking out or selling: an unverified email may browse and no more."""
        return self.method != "GET" and (self.permission in _TRADING or self.route in _ALSO_TRADING)

    @property
    def store_types(self) -> tuple[str, ...]:
        """Which stores' members may call it at all."""
        return {"member": ("buyer", "vendor"), "buyer": ("buyer",), "vendor": ("vendor",)}.get(self.kind, ())

    def admits(self, store_type: str, role: str) -> bool:
        """Whether a member with this role in a store of this type may."""
        if self.kind in ("anyone", "user", "user*"):
            return True
        if self.permission is None or store_type not in self.store_types:
            return False
        buyers, vendors = PERMISSIONS[self.permission]
        return role in (buyers if store_type == "buyer" else vendors)


RULES = {rule.route: rule for rule in (Rule(*line.split()) for line in _ROUTES.strip().splitlines())}
