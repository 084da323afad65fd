# Somebody tries passwords.
provoke() {
    for n in $(seq 8); do
        curl -s -o /dev/null -w '%{http_code} ' "$API/auth/login" -H 'Content-Type: application/json' \
            -d "{\"email\": \"agent1@example.com\", \"password\": \"a wrong guess number $n\"}"
    done
    echo
}
