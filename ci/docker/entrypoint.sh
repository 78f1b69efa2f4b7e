#!/bin/sh
# Rehearses on the database that is there before the app migrates it at its start; goes on with the command only where that passes:
#   ENTRYPOINT ["/entrypoint.sh"]   CMD ["node", "server.js"]
# The database is only read. A first start without a database has nothing to lose.
set -eu

database=${DATABASE_PATH:?the file of the database}
if [ -e "$database" ]; then
    rehearse --snapshot "$database" --quiet || {
        status=$?
        echo "entrypoint: the migrations would not go well (exit code $status); the database is as it was, and the app does not start" >&2
        exit "$status"
    }
fi
exec "$@"
