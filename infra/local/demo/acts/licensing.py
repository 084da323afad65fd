"""No license, no trade: a document goes to the bucket, an event confirms it, an operator looks at it."""

from datetime import date, timedelta

import httpx

from infra.local.console import step
from infra.local.demo import pdf
from infra.local.demo.expectations import eventually, expect
from infra.local.demo.story import Business, Story


def play(story: Story) -> None:
    licenses = {business.name: _submit(story, business) for business in story.stores}
    for business in story.stores:
        _verify(story, business, licenses[business.name])


def _submit(story: Story, business: Business) -> str:
    owner = business.owner
    media_id = _upload(business, number := _number(story, business))
    eventually(
        lambda: owner.get(f"/media/{media_id}")["status"] in ("uploaded", "processing", "ready"),
        True,
        f"The bucket tells of {business.name}'s document",
    )
    today = date.today()  # noqa: DTZ011 - any day near today will do
    body = {
        "type": business.license_type,
        "number": number,
        "issuing_state": "OK",
        "issued_on": str(today - timedelta(days=30)),
        "expires_on": str(today + timedelta(days=335)),
        "media_id": media_id,
    }
    with step(f"{business.name} submits its license"):
        submitted = owner.post("/licenses", body, status=201)
        expect(submitted["status"], "pending", "the license")
    return str(submitted["id"])


def _upload(business: Business, number: str) -> str:
    """Put a PDF into the bucket by a signed URL; no byte of it passes through a function."""
    document = pdf.one_page("Oklahoma Medical Marijuana Authority", f"License {number}", f"Issued to {business.name}")
    wanted = {
        "kind": "license_doc",
        "mime_type": "application/pdf",
        "file_name": "license.pdf",
        "size_bytes": len(document),
    }
    with step(f"{business.name} uploads {len(document)} bytes of PDF"):
        leave = business.owner.post("/media/presign", wanted, status=201)
        answer = httpx.put(leave["upload_url"], content=document, headers=leave["headers"], timeout=30)
        expect(answer.status_code, 200, "the answer of the bucket")
    return str(leave["media_id"])


def _verify(story: Story, business: Business, license_id: str) -> None:
    with step(f"The operator verifies {business.name}"):
        waiting = story.admin.get("/admin/licenses", limit=100)
        held = next(one for one in waiting if one["id"] == license_id)
        expect(held["store"]["id"], business.store_id, "whose license the operator sees")
        document = httpx.get(held["document_url"], timeout=30)
        expect((document.status_code, document.content[:7]), (200, b"%PDF-1."), "the document behind the signed URL")
        decided = story.admin.post(f"/admin/licenses/{license_id}/verify", {"decision": "verified"})
        expect((decided["status"], decided["kyc_status"]), ("verified", "verified"), "the license and the store")


def _number(story: Story, business: Business) -> str:
    return f"{business.license_type[:4].upper()}-{business.owner.email.split('.')[0]}-{story.run}"
