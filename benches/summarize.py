"""DuckDB's SUMMARIZE of every table of a SQLite file."""

import sys
from importlib.util import find_spec
from pathlib import Path

import duckdb

extension = next(Path(find_spec("duckdb_extension_sqlite_scanner").origin).parent.rglob("*.duckdb_extension"))
connection = duckdb.connect()
connection.execute("SET threads = 2")
connection.execute(f"LOAD '{extension}'")
connection.execute(f"ATTACH '{sys.argv[1]}' AS given (TYPE sqlite, READ_ONLY)")
tables = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'given' ORDER BY 1").fetchall()
for (table,) in tables:
    for column in connection.execute(f'SUMMARIZE given."{table}"').fetchall():
        print(table, *column)
