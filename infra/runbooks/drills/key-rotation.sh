# Revisions of auth and admin run beside the stack, on its data, each started with the keys of the step before it: what a
# deployment does. One person has a second factor, and somebody holds a token, a cursor and an ad token of before.
PERSON=agent3@example.com
deploy() {
    [ -z "${REVISION:-}" ] || { kill "$REVISION"; wait "$REVISION" || true; }
    python -m infra.local.gateway --port "$PORT" --workers 1 --threads 8 --bundles "$BUNDLES" auth admin > "$BUNDLES/log" 2>&1 &
    REVISION=$!
    for _ in $(seq 120); do curl -sf -o /dev/null "http://127.0.0.1:$PORT/health/ready" && return; sleep 0.5; done
    echo "the revision is not ready"; tail -5 "$BUNDLES/log"; return 1
}

token() {
    curl -si "$API/admin/auth/login" -H 'Content-Type: application/json' \
        -d "{\"email\": \"$ADMIN_EMAIL\", \"password\": \"$ADMIN_PASSWORD\"}" | sed -n 's/^x-pf-token: //Ip' | tr -d '\r'
}

code() { python -c 'import sys, time, pyotp; print(pyotp.TOTP(sys.argv[1]).at(int(time.time()) + 30 * int(sys.argv[2])))' "$SECRET" "$1"; }

sign_in_with_code() {
    local status
    status=$(curl -s -o /dev/null -w '%{http_code}' "$API/auth/login" -H 'Content-Type: application/json' \
        -d "{\"email\": \"$PERSON\", \"password\": \"$ADMIN_PASSWORD\", \"mfa_code\": \"$(code 1)\"}")
    echo "a second factor of before: $status"
    [ "$status" = 200 ]
}

forget_person() { psql -qc "UPDATE users SET mfa_secret = NULL, mfa_confirmed_at = NULL, mfa_last_step = NULL WHERE email = '$PERSON'"; }

leave() {
    kill "$REVISION" 2> /dev/null || true
    forget_person
    rm -rf "$BUNDLES"
}

provoke() {
    while IFS= read -r -d '' pair; do
        case "$pair" in PF_*|PUBSUB_*|STORAGE_*|GOOGLE_*) export "$pair" ;; esac
    done < "/proc/$GATEWAY_PID/environ"
    export PF_LIMIT_MFA=100/minute PF_LIMIT_MFA_CODE=100/minute  # a drill may be repeated
    BUNDLES=$(mktemp -d)
    PORT=$(python -c 'from infra.local.processes import free_port; print(free_port())')
    API=http://127.0.0.1:$PORT/api/v1
    trap leave EXIT
    forget_person
    deploy
    OLD_TOKEN=$(token)
    OLD_CURSOR=$(curl -s "$API/admin/audit?limit=1" -H "Authorization: Bearer $OLD_TOKEN" \
        | python -c 'import json, sys; print(json.load(sys.stdin)["page"]["next"])')
    OLD_AD_TOKEN=$(python - <<'PYTHON'
from datetime import UTC, datetime
from uuid import uuid4
from shared.ads.claims import AdClaims
from shared.ads.tokens import mint
print(mint(AdClaims(token_id=uuid4(), ad_id=uuid4(), creative_id=uuid4(), placement="hero", target_type="store",
    target_id=uuid4(), vendor_store_id=uuid4(), buyer_store_id=uuid4(), event="click", bid_cents=5, request_id="drill",
    destination="/", occurred_at=datetime.now(UTC))))
PYTHON
    )
    local mine
    mine=$(curl -si "$API/auth/login" -H 'Content-Type: application/json' \
        -d "{\"email\": \"$PERSON\", \"password\": \"$ADMIN_PASSWORD\"}" | sed -n 's/^x-pf-token: //Ip' | tr -d '\r')
    SECRET=$(curl -s -X POST "$API/auth/mfa/enroll" -H "Authorization: Bearer $mine" -H 'Content-Type: application/json' \
        -H "Idempotency-Key: $(date +%s%N)" -d "{\"password\": \"$ADMIN_PASSWORD\"}" | python -c 'import json, sys; print(json.load(sys.stdin)["data"]["secret"])')
    curl -s -o /dev/null -w 'a second factor is on: %{http_code}\n' -X POST "$API/auth/mfa/confirm" -H "Authorization: Bearer $mine" \
        -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s%N)" -d "{\"mfa_code\": \"$(code 0)\"}"
}

mend() { deploy; }
