#!/bin/sh
# Makes Temporal's two databases, or brings them up to date.
set -eu
SQL_PASSWORD=$(cat /run/secrets/postgres_password)
export SQL_PASSWORD
for database in temporal temporal_visibility; do
  tool() {
    temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user temporal --database "$database" "$@"
  }
  versions=/etc/temporal/schema/postgresql/v12/${database#temporal_}/versioned
  tool create
  tool setup-schema --version 0.0 2>/dev/null || true # it is there already
  tool update-schema --schema-dir "$versions"
done
