# Prometheus with PlantOps' scrape configuration and alert rules (profile "monitoring").
ARG PROMETHEUS_IMAGE=prom/prometheus:v2.53.4

FROM ${PROMETHEUS_IMAGE}
COPY deploy/prometheus/prometheus.yml /etc/prometheus/prometheus.yml
COPY deploy/prometheus/rules /etc/prometheus/rules
COPY deploy/prometheus/targets /etc/prometheus/targets
# For everybody, also if whoever cloned the repository kept it to himself.
USER 0:0
RUN chmod -R a+rX /etc/prometheus
USER 65534:65534
EXPOSE 9090
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:9090/-/ready"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
