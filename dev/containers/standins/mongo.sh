#!/bin/bash
# What the entry point of MongoDB's own image does with the environment that compose.yaml gives it: the first start
# makes the user.
set -eu
mkdir -p /data/db
chown mongodb:mongodb /data/db
as() { setpriv --reuid mongodb --regid mongodb --clear-groups "$@"; }
if [ ! -f /data/db/WiredTiger ]; then
  as mongod --dbpath /data/db --bind_ip 127.0.0.1 --fork --logpath /tmp/first.log --nounixsocket >/dev/null
  as python3 - <<'PYTHON'
import os
from pathlib import Path
from pymongo import MongoClient
name = os.environ["MONGO_INITDB_ROOT_USERNAME"]
password = Path(os.environ["MONGO_INITDB_ROOT_PASSWORD_FILE"]).read_text().strip()
with MongoClient("mongodb://127.0.0.1/") as client:
    client.admin.command("createUser", name, pwd=password, roles=[{"role": "root", "db": "admin"}])
PYTHON
  as mongod --dbpath /data/db --shutdown >/dev/null
fi
exec setpriv --reuid mongodb --regid mongodb --clear-groups \
  mongod --dbpath /data/db --bind_ip_all --auth "$@"
