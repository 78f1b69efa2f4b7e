"""Writes down every statement that Python's sqlite3 runs on the copy, one JSON object a line.

Loaded by Python before the command's own code; whatever goes wrong here must not reach that code.
"""
import json
import os
import sys

_file = os.environ.get("REHEARSE_TRACE")
_copy = os.environ.get("REHEARSE_TRACE_DATABASE")


def _write(line):
    try:
        with open(_file, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    except Exception:
        pass


def _is_copy(name, uri):
    try:
        path = os.fsdecode(name)
        if uri and path.startswith("file:"):
            from urllib.parse import unquote, urlsplit

            path = unquote(urlsplit(path).path)
        return os.path.samefile(path, _copy)
    except Exception:
        return False


def _statement(sql):
    # What a trigger does is told as a comment.
    if not sql.startswith("--"):
        _write({"sql": sql})


def _trace():
    import sqlite3
    import sqlite3.dbapi2

    connect = sqlite3.connect

    def traced(database, *args, **kwargs):
        connection = connect(database, *args, **kwargs)
        uri = kwargs.get("uri", args[6] if len(args) > 6 else False)
        if _is_copy(database, uri):
            try:
                enforced = connection.execute("PRAGMA foreign_keys").fetchone()[0]
                _write({"library": "python", "foreign_keys": enforced == 1})
                connection.set_trace_callback(_statement)
            except Exception:
                pass
        return connection

    sqlite3.connect = traced
    sqlite3.dbapi2.connect = traced


def _own():
    """The sitecustomize that would have been loaded without this one."""
    import importlib.util

    here = os.path.dirname(os.path.abspath(__file__))
    for folder in sys.path:
        candidate = os.path.join(folder, "sitecustomize.py")
        if os.path.abspath(folder) != here and os.path.isfile(candidate):
            spec = importlib.util.spec_from_file_location("own_sitecustomize", candidate)
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
            return


if _file and _copy:
    try:
        _trace()
    except Exception:
        pass
try:
    _own()
except Exception:
    pass
