#!/bin/sh
# Temporal reads the database's password from a variable alone; it stands in a file.
set -eu
POSTGRES_PWD=$(cat /run/secrets/postgres_password)
export POSTGRES_PWD
exec /etc/temporal/entrypoint.sh
