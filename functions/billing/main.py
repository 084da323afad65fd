"""What vendors pay: plans, cards, subscriptions, charges.

Serves /api/v1/vendor/subscriptions, /api/v1/vendor/payment-methods, /api/v1/vendor/billing,
/api/v1/admin/billing and /api/v1/admin/square. Square is called before and after transactions, never within.
Publishes subscription_changed, charge_succeeded and charge_failed.
"""

from functions.billing import charges, customers, payment_methods, plans, subscriptions
from shared.integrations.square import check_square
from shared.kit.http import serve

main = serve(
    "billing",
    plans.for_vendors,
    plans.for_admins,
    payment_methods.api,
    subscriptions.api,
    charges.api,
    customers.api,
    square=check_square,
)
