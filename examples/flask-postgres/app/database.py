"""The guest book's database: a pool of connections, and the schema."""

import logging
import os
import time
from contextlib import contextmanager

import psycopg2
from psycopg2.pool import ThreadedConnectionPool

log = logging.getLogger(__name__)

# Any number: replicas that migrate at once wait for each other on it.
MIGRATION_LOCK = 715001

MIGRATIONS = [
    """CREATE TABLE notes (
         id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
         author text NOT NULL,
         message text NOT NULL,
         created_at timestamptz NOT NULL DEFAULT now()
       )""",
    "CREATE INDEX notes_newest ON notes (created_at DESC, id DESC)",
]


class Database:
    """Connects when first asked, and again after the server was away."""

    def __init__(self):
        self._pool = None
        self._migrated = False

    def _connect(self):
        return ThreadedConnectionPool(
            1,
            int(os.environ.get("DB_POOL_SIZE", "8")),
            host=os.environ["DB_HOST"],
            port=os.environ.get("DB_PORT", "5432"),
            dbname=os.environ["DB_NAME"],
            user=os.environ["DB_USER"],
            password=os.environ["DB_PASSWORD"],
            connect_timeout=3,
            application_name=os.environ.get("POD_NAME", "flask-app"),
        )

    @contextmanager
    def cursor(self):
        """A cursor in a transaction: committed at the end, rolled back on an error. Tries once more when the server had gone."""
        for attempt in (1, 2):
            if self._pool is None:
                self._pool = self._connect()
            connection = self._pool.getconn()
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                break
            except psycopg2.Error:
                self._pool.putconn(connection, close=True)
                if attempt == 2:
                    raise
        broken = False
        try:
            with connection.cursor() as cursor:
                yield cursor
            connection.commit()
        except psycopg2.Error:
            broken = bool(connection.closed)
            if not broken:
                connection.rollback()
            raise
        finally:
            self._pool.putconn(connection, close=broken)

    def migrate(self):
        """Brings the schema up to date. Safe to run in several replicas at once, and again."""
        if self._migrated:
            return
        with self.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            cursor.execute("CREATE TABLE IF NOT EXISTS schema_version (version int NOT NULL)")
            cursor.execute("SELECT coalesce(max(version), 0) FROM schema_version")
            (version,) = cursor.fetchone()
            for number, statement in enumerate(MIGRATIONS[version:], version + 1):
                log.info("migrating the schema to version %d", number)
                cursor.execute(statement)
                cursor.execute("INSERT INTO schema_version VALUES (%s)", (number,))
        self._migrated = True

    def wait(self, seconds):
        """Waits for the server, which may start after the application, and migrates."""
        end = time.monotonic() + seconds
        while True:
            try:
                return self.migrate()
            except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
                if time.monotonic() > end:
                    log.warning("the database does not answer yet: %s", str(error).strip())
                    return None
                time.sleep(0.2)

    def close(self):
        if self._pool is not None:
            self._pool.closeall()
            self._pool = None
