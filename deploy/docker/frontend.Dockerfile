# nginx with the built dashboard, in front of everything people see. Built from the root of the repository:
#
#   docker build -f deploy/docker/frontend.Dockerfile -t localhost/plantops/frontend .
ARG BUILDER_IMAGE=debian:bookworm-slim
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${BUILDER_IMAGE} AS builder
WORKDIR /source
COPY scripts/install-packages.sh scripts/
RUN scripts/install-packages.sh frontend
COPY scripts/build-frontend.sh scripts/render-template.sh scripts/
COPY frontend frontend
RUN scripts/build-frontend.sh && find frontend-dist -mindepth 1 -maxdepth 1 -name '.*' -exec rm -rf {} +

FROM ${RUNTIME_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl nginx-light openssl \
    && rm -rf /var/lib/apt/lists/*
COPY --from=builder /source/frontend-dist /usr/share/plantops/web
COPY deploy/nginx/nginx.conf.in deploy/nginx/plantops.conf.in deploy/nginx/redirect.conf.in /usr/local/lib/plantops/
COPY scripts/render-template.sh deploy/docker/lib/supervise.sh /usr/local/lib/plantops/
COPY deploy/docker/frontend/entrypoint.sh /usr/local/lib/plantops/frontend-entrypoint.sh
# For everybody, also if whoever cloned the repository kept it to himself.
RUN chmod -R a+rX /usr/local/lib/plantops /usr/share/plantops \
    && install -d -o 1000 -g 1000 -m 700 /var/lib/plantops /var/lib/plantops/server-certificates
USER 1000:1000
WORKDIR /
EXPOSE 8080 8443
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["/usr/local/lib/plantops/frontend-entrypoint.sh", "healthy"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/lib/plantops/frontend-entrypoint.sh"]
CMD ["serve"]
