"""The dispensary says what it thinks of what came, and an operator of what it says."""

from infra.local.console import step
from infra.local.demo.acts.buying import TOTAL_A, TOTAL_B_WITHOUT_ROSIN
from infra.local.demo.expectations import expect
from infra.local.demo.story import Business, Story


def play(story: Story) -> None:
    _remember(story)
    _review(story)
    _moderate(story)


def _remember(story: Story) -> None:
    owner = story.buyer.owner
    with step(f"{story.buyer.name} looks up what it had of each vendor"):
        for vendor, total_cents in zip(story.vendors, (TOTAL_A, TOTAL_B_WITHOUT_ROSIN), strict=True):
            page = owner.answer("GET", f"/stores/{vendor.store_id}/orders", 200)
            told = (page["totals"]["count"], page["totals"]["total_cents"], page["totals"]["balance_due_cents"])
            expect(told, (1, total_cents, 0), f"the orders with {vendor.name}")


def _review(story: Story) -> None:
    owner, farm, lab = story.buyer.owner, story.vendor_a, story.vendor_b
    with step("It reviews a vendor, thinks again, and reviews the flower"):
        first = {"store_id": farm.store_id, "rating": 3, "title": "Hm"}
        better = {"store_id": farm.store_id, "rating": 5, "title": "As promised", "body": "<b>Fresh</b> & on time."}
        owner.post("/reviews", first, status=201)
        expect(owner.post("/reviews", better, status=200)["body"], "Fresh & on time.", "the words of the review")
        owner.post("/reviews", {"product_id": farm.product_ids["flower"], "rating": 4}, status=201)
        expect(_rating(story, farm), {"count": 1, "average": "5.00"}, "the vendor's rating")
        seen = owner.get(f"/products/{farm.product_ids['flower']}")
        expect(seen["rating"], {"count": 1, "average": "4.00"}, "the product's rating")
    with step("The rosin never came, so it cannot be reviewed"):
        body = {"product_id": lab.product_ids["rosin"], "rating": 1}
        refused = owner.answer("POST", "/reviews", 403, body=body)
        expect(refused["error"]["details"]["reason"], "nothing_received", "why not")
    with step("The flower is not wished for any more"):
        owner.answer("DELETE", f"/wishlist/items/{farm.product_ids['flower']}", 204)
        expect(owner.get("/wishlist/ids"), [lab.product_ids["soda"]], "the wishlist")


def _moderate(story: Story) -> None:
    farm = story.vendor_a
    with step("An operator hides the review, and shows it again"):
        [review] = story.buyer.owner.get(f"/stores/{farm.store_id}/reviews")
        expect((review["reviewer_name"], review["is_own"]), (story.buyer.name, True), "the review as it is read")
        story.admin.post(f"/admin/reviews/{review['id']}/hide", {"reason": "Let us look at that."})
        expect(_rating(story, farm), {"count": 0, "average": None}, "the vendor's rating meanwhile")
        story.admin.post(f"/admin/reviews/{review['id']}/unhide")
        expect(_rating(story, farm), {"count": 1, "average": "5.00"}, "the vendor's rating again")


def _rating(story: Story, vendor: Business) -> object:
    return story.buyer.owner.get(f"/stores/vendors/{vendor.store_id}")["rating"]
