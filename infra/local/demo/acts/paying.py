"""The operator confirms that the vendors have their money, which closes the orders."""

from infra.local.console import step
from infra.local.demo.expectations import expect
from infra.local.demo.story import Story


def play(story: Story) -> None:
    for vendor in story.vendors:
        with step(f"The payout of order {vendor.order_number} to {vendor.name} is confirmed"):
            waiting = story.admin.get(f"/admin/orders/payouts/{vendor.order_id}")
            expect(waiting["id"], vendor.order_id, "the order that waits for its payout")
            order = story.admin.post(f"/admin/orders/{vendor.order_id}/confirm-payout")
            expect((order["status"], order["payment_intent"]["status"]), ("closed", "paid"), "order and payment")
    with step(f"{story.buyer.name} sees both orders closed"):
        for vendor in story.vendors:
            expect(story.buyer.owner.get(f"/orders/{vendor.order_id}")["status"], "closed", "the buyer's order")
