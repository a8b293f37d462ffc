# What works on the database from outside: the services "backup" and "restore", and the job "database-setup". It is the
# backend's image, whose program opens and seals secrets, with PostgreSQL's own programs. So that one is built first
# (make prod-build does it in this order). From the root of the repository:
#
#   docker build -f deploy/docker/backup.Dockerfile -t localhost/plantops/backup .
ARG BACKEND_IMAGE=localhost/plantops/backend:latest

FROM ${BACKEND_IMAGE}
USER 0:0
RUN apt-get update \
    && apt-get install -y --no-install-recommends jq openssl postgresql-client-15 \
    && rm -rf /var/lib/apt/lists/*
COPY deploy/backup /usr/local/lib/plantops/backup
COPY deploy/docker/backup/entrypoint.sh /usr/local/lib/plantops/backup-entrypoint.sh
COPY deploy/docker/database/setup.sh /usr/local/lib/plantops/database-setup.sh
# For everybody, also if whoever cloned the repository kept it to himself.
RUN chmod -R a+rX /usr/local/lib/plantops \
    && install -d -o 1000 -g 1000 -m 700 /var/lib/plantops/authority /var/lib/plantops/backups
USER 1000:1000
HEALTHCHECK --interval=5m --timeout=10s --start-period=30m --retries=1 \
    CMD ["/usr/local/lib/plantops/backup-entrypoint.sh", "healthy"]
ENTRYPOINT ["/usr/local/lib/plantops/backup-entrypoint.sh"]
CMD ["schedule"]
