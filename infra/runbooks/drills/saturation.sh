# A transaction that somebody forgot holds a row; another waits for it.
provoke() {
    (psql -qc "BEGIN; SELECT FROM stores ORDER BY id LIMIT 1 FOR UPDATE; SELECT pg_sleep(5)" > /dev/null) &
    sleep 0.5
    (psql -qc "SELECT FROM stores ORDER BY id LIMIT 1 FOR UPDATE" > /dev/null) &
    sleep 0.5
}
