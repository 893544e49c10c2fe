"""JupyterHub for a class on one machine: one container a learner, with limits. See README.md.

With CLASS_CERTIFICATE and CLASS_KEY, two PEM files, the hub answers by https and needs no web server in front of it.
With STYLELEARN_TRY=1 it is a trial on the loopback address: no containers, any name and password. measure.py uses that.
"""

import os

TRY = os.environ.get("STYLELEARN_TRY") == "1"
c = get_config()  # noqa: F821

# One thread a learner: with many learners this does more work for each core. Two arenas: less memory is kept back.
c.Spawner.environment = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "MALLOC_ARENA_MAX": "2"}
c.Spawner.start_timeout = c.Spawner.http_timeout = 120
c.JupyterHub.concurrent_spawn_limit = 40  # above the size of the class: the hub refuses others with error 429
c.Authenticator.allow_all = True

https = {name: os.environ.get(name, "") for name in ("CLASS_CERTIFICATE", "CLASS_KEY")}
if any(https.values()):
    for name, path in https.items():
        if not os.access(path, os.R_OK):
            wrong = f"{path!r} cannot be read" if path else "it is not set"
            raise SystemExit(f"{name}: {wrong}. Set CLASS_CERTIFICATE and CLASS_KEY to a PEM file each, or neither.")
    c.JupyterHub.ssl_cert, c.JupyterHub.ssl_key = https.values()  # bind_url becomes https by itself

if TRY:
    c.JupyterHub.bind_url = "http://127.0.0.1:8000"
    c.JupyterHub.spawner_class = "simple"
    c.JupyterHub.authenticator_class = "dummy"
    c.Spawner.default_url = "/lab"
else:
    c.JupyterHub.bind_url = "http://:8000"  # without a certificate: put a web server with https in front of it
    c.JupyterHub.hub_ip = "172.17.0.1"  # this machine, as Docker's containers see it
    c.JupyterHub.authenticator_class = "shared-password"
    c.SharedPasswordAuthenticator.user_password = os.environ["CLASS_PASSWORD"]
    c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
    c.DockerSpawner.image = "stylelearn"
    c.DockerSpawner.remove = True
    c.DockerSpawner.volumes = {"learner-{username}": "/home/learner"}  # what a learner wrote outlives the container
    c.DockerSpawner.extra_host_config = {"memswap_limit": "2G"}  # no swap on top of the memory
    c.Spawner.mem_limit = "2G"
    c.Spawner.cpu_limit = 1.0
    c.Spawner.notebook_dir = "/home/learner"
    c.Spawner.default_url = "/lab/tree/my-stylelearn/lessons/00_welcome.ipynb"  # see jupyter_server_config.py
