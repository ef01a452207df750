"""How gunicorn serves the guest book. A worker per Pod: Kubernetes scales by Pods."""

import os

bind = "0.0.0.0:5000"
workers = 1
threads = 8
worker_class = "gthread"
# Longer than the proxy in front keeps idle connections, so that it never writes to one that is closing.
keepalive = 75
graceful_timeout = 20
worker_tmp_dir = "/dev/shm"
accesslog = None


def post_worker_init(worker):
    from app import database

    database.wait(seconds=float(os.environ.get("DB_WAIT_SECONDS", "0")))


def worker_exit(server, worker):
    from app import database

    database.close()
