# A backup is taken; afterwards somebody sets every price to a cent.
provoke() {
    dropdb --if-exists damaged
    dropdb --if-exists restored
    BACKUP=$(mktemp)
    trap 'rm -f "$BACKUP"; dropdb --if-exists damaged' EXIT
    pg_dump --format=custom --file="$BACKUP"
    psql -c "UPDATE products SET price_cents = 1"
}
