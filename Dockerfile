# Berth's web app and worker, for docker-compose.yml. Another base of Debian or Ubuntu will do: --build-arg BASE=…
ARG BASE=debian:12-slim
FROM ${BASE}

# Debian's Node and npm only fetch Berth's own Node 24; the rest is what the worker works with.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates nodejs npm openssl \
      conmon crun dnsmasq-base nftables iproute2 util-linux busybox-static \
 && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/berth
COPY package.json package-lock.json ./
RUN npm ci --include=dev --no-audit --no-fund && npm cache clean --force
ENV PATH=/opt/berth/node_modules/.bin:$PATH NODE_ENV=production NEXT_TELEMETRY_DISABLED=1
COPY . .
RUN node prisma/generate.ts && node node_modules/next/dist/bin/next build

ENV BERTH_HOME=/var/lib/berth
VOLUME /var/lib/berth
ENTRYPOINT ["node", "--disable-warning=ExperimentalWarning", "cli/main.ts"]
CMD ["--help"]
