# Two verified licenses ended four days ago, and nobody noticed.
provoke() {
    psql -c "UPDATE licenses SET expires_on = (now() AT TIME ZONE 'America/Chicago')::date - 4 WHERE id IN (
                 SELECT license.id FROM licenses AS license JOIN stores ON stores.id = license.store_id
                 WHERE license.status = 'verified' AND kyc_status = 'verified'
                   AND (SELECT count(*) FROM licenses AS other WHERE other.store_id = stores.id) = 1
                   AND license.expires_on > now() LIMIT 2)"
}
