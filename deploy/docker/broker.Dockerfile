# Mosquitto with PlantOps' configuration, and what makes its certificates: the services "broker" and "certificates".
# Built from the root of the repository:
#
#   docker build -f deploy/docker/broker.Dockerfile -t localhost/plantops/broker .
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${RUNTIME_IMAGE}
# mosquitto-clients for the health check, which signs in as the backend does.
RUN apt-get update \
    && apt-get install -y --no-install-recommends mosquitto mosquitto-clients openssl \
    && rm -rf /var/lib/apt/lists/*
COPY deploy/mosquitto/mosquitto.conf.in certs/make-certs.sh scripts/render-template.sh \
    deploy/docker/lib/supervise.sh /usr/local/lib/plantops/
COPY deploy/docker/broker/entrypoint.sh /usr/local/lib/plantops/broker-entrypoint.sh
COPY deploy/docker/certificates/entrypoint.sh /usr/local/lib/plantops/certificates-entrypoint.sh
# Files for everybody, also if whoever cloned the repository kept it to himself. A new volume takes over the owner of the
# folder it is mounted on.
RUN chmod -R a+rX /usr/local/lib/plantops \
    && install -d -o 1000 -g 1000 -m 700 /var/lib/plantops /var/lib/plantops/authority /var/lib/plantops/broker \
    /var/lib/plantops/client-certificates /var/lib/plantops/server-certificates
USER 1000:1000
WORKDIR /
EXPOSE 8883
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["/usr/local/lib/plantops/broker-entrypoint.sh", "healthy"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/lib/plantops/broker-entrypoint.sh"]
CMD ["serve"]
