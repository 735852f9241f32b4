# Stands in for node:24-bookworm-slim: a small Debian, Node 24 and npm. The certificates are the host's.
FROM scratch
ADD root.tar /
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY certificates /usr/local/share/certificates
ENV NODE_EXTRA_CA_CERTS=/usr/local/share/certificates
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
