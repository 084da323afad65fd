# Redis hangs (its process is stopped), and comes back with nothing in it.
provoke() {
    TOKEN=$(curl -si "$API/admin/auth/login" -H 'Content-Type: application/json' \
        -d "{\"email\": \"$ADMIN_EMAIL\", \"password\": \"$ADMIN_PASSWORD\"}" | sed -n 's/^x-pf-token: //Ip' | tr -d '\r')
    REDIS_PID=$(redis-cli -u "$REDIS_URL" info server | sed -n 's/^process_id://p' | tr -d '\r')
    trap 'kill -CONT "$REDIS_PID"' EXIT
    kill -STOP "$REDIS_PID"
}

mend() {
    kill -CONT "$REDIS_PID"
    redis-cli -u "$REDIS_URL" flushall
}
