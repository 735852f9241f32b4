# Stands in for postgres, redis, registry and haproxy, all in one, with Debian's packages.
FROM berth-node
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-unsafe-io \
      docker-registry haproxy postgresql redis-server wget \
 && useradd --uid 65532 parts \
 && chmod 3777 /run/postgresql \
 && rm -f /usr/bin/pg_isready \
 && ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/
COPY entrypoint /usr/local/bin/entrypoint
ENTRYPOINT ["entrypoint"]
