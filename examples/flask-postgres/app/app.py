"""A guest book: a page, a JSON API, and the endpoints that Kubernetes asks."""

import logging
import os

import psycopg2
from flask import Flask, jsonify, redirect, render_template, request, url_for

from database import Database

logging.basicConfig(level=os.environ.get("LOG_LEVEL", "info").upper(), format="%(asctime)s %(levelname)s %(message)s")

app = Flask(__name__)
database = Database()

LONGEST = {"author": 80, "message": 2000}


class BadNote(ValueError):
    pass


def read_notes(limit=50):
    with database.cursor() as cursor:
        cursor.execute("SELECT id, author, message, created_at FROM notes ORDER BY created_at DESC, id DESC LIMIT %s", (limit,))
        return [
            {"id": note, "author": author, "message": message, "createdAt": created.isoformat()}
            for note, author, message, created in cursor.fetchall()
        ]


def write_note(fields):
    values = {}
    for field, longest in LONGEST.items():
        value = fields.get(field)
        if not isinstance(value, str) or not value.strip():
            raise BadNote(f"{field} is missing")
        if len(value) > longest:
            raise BadNote(f"{field} may have {longest} characters at most")
        values[field] = value.strip()
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO notes (author, message) VALUES (%s, %s) RETURNING id, created_at", (values["author"], values["message"]))
        note, created = cursor.fetchone()
    return {"id": note, **values, "createdAt": created.isoformat()}


@app.get("/")
def page():
    return render_template("page.html", title=os.environ.get("APP_TITLE", "Guest book"), notes=read_notes(), pod=os.environ.get("POD_NAME", ""))


@app.post("/")
def sign():
    write_note(request.form)
    return redirect(url_for("page"), code=303)


@app.get("/api/notes")
def list_notes():
    return jsonify(notes=read_notes(), servedBy=os.environ.get("POD_NAME", ""))


@app.post("/api/notes")
def create_note():
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise BadNote("the body must be a JSON object with author and message")
    return jsonify(write_note(body)), 201


@app.delete("/api/notes/<int:note>")
def delete_note(note):
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM notes WHERE id = %s", (note,))
        gone = cursor.rowcount
    return ("", 204) if gone else (jsonify(error="no such note"), 404)


@app.get("/healthz")
def healthy():
    """The process works; its database may be away."""
    return "ok\n"


@app.get("/readyz")
def ready():
    """The application can do its work: its database answers and has the schema."""
    database.migrate()
    with database.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok\n"


@app.errorhandler(BadNote)
def bad_note(error):
    return jsonify(error=str(error)), 400


@app.errorhandler(psycopg2.Error)
def database_away(error):
    app.logger.warning("the database failed: %s", str(error).strip())
    return jsonify(error="the database does not answer"), 503
