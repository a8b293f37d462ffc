# Grafana with PlantOps' data source and dashboards (profile "monitoring").
ARG GRAFANA_IMAGE=grafana/grafana:11.6.0

FROM ${GRAFANA_IMAGE}
COPY deploy/grafana/provisioning /etc/grafana/provisioning
COPY deploy/grafana/dashboards /etc/grafana/dashboards
# Under the user who may read the secrets, and so with a folder of its own. Its files are for everybody, also if whoever
# cloned the repository kept it to himself.
USER 0:0
RUN chmod -R a+rX /etc/grafana/provisioning /etc/grafana/dashboards \
    && install -d -o 1000 -g 1000 -m 700 /var/lib/plantops/grafana
ENV GF_PATHS_DATA=/var/lib/plantops/grafana
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:3000/api/health"]
