#!/bin/bash
# What the entry point of QuestDB's own image does with the environment that compose.yaml gives it.
set -eu
chown questdb:questdb /var/lib/questdb
read -ra options <<<"${JVM_PREPEND:-}"
exec setpriv --reuid questdb --regid questdb --clear-groups \
  java "${options[@]}" --enable-native-access=ALL-UNNAMED -XX:+UseParallelGC \
  -cp /app/questdb.jar io.questdb.ServerMain -d /var/lib/questdb -f
