#!/bin/sh
# Make of a fresh Debian root what python:3.14-slim-trixie is: python3 and pip, without manuals, translations and lists.
# usage: python.sh ROOT
set -eu
root=$1
# The machine's own authorities, without which a registry behind a proxy would not be believed.
mkdir -p "$root/usr/local/share/ca-certificates"
find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \;
chroot "$root" update-ca-certificates >/dev/null
# A mirror may be a picture of another day.
printf 'Acquire::Check-Valid-Until "false";\nAcquire::Check-Date "false";\n' >"$root/etc/apt/apt.conf.d/99clock"
rm -f "$root/usr/lib/python3.14/EXTERNALLY-MANAGED"
ln -sf /usr/bin/python3.14 "$root/usr/local/bin/python3"
ln -sf /usr/bin/python3.14 "$root/usr/local/bin/python"
wheel=$(cd "$root" && ls usr/share/python-wheels/pip-*.whl)
chroot "$root" python3 "/$wheel/pip" install --quiet --no-index --root-user-action=ignore "/$wheel"
for kind in doc man info locale; do rm -rf "${root:?}/usr/share/$kind"; done
find "$root/var/cache/apt" "$root/var/lib/apt/lists" "$root/var/log" -type f -delete
