# Stands in for QuestDB's image, on the stand-in for Python: the same server from its jar, on Debian's Java. The context
# holds questdb.jar, and the entry points of this folder.
FROM docker.io/library/python:3.14-slim-trixie
# Java links manuals, whose folder a slim image lacks.
# hadolint ignore=DL3008
RUN mkdir -p /usr/share/man/man1 \
    && apt-get update \
    && apt-get install --yes --no-install-recommends default-jre-headless \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home questdb
COPY questdb.jar /app/questdb.jar
COPY questdb.sh /docker-entrypoint.sh
VOLUME /var/lib/questdb
ENTRYPOINT ["/docker-entrypoint.sh"]
