# Stands in for MongoDB's image, on the stand-in for Python: a real mongod. The context holds mongod, and the entry points
# of this folder.
FROM docker.io/library/python:3.14-slim-trixie
# hadolint ignore=DL3008,DL3013
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libcurl4t64 libssl3t64 \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m pip install --no-cache-dir --root-user-action=ignore pymongo \
    && useradd --uid 999 --no-create-home mongodb
COPY mongod /usr/bin/mongod
COPY mongo.sh /docker-entrypoint.sh
VOLUME /data/db
ENTRYPOINT ["/docker-entrypoint.sh"]
