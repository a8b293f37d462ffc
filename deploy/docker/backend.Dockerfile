# The backend: one program, built in Swift's own image and put onto Debian with the libraries it needs. The jobs
# "migrate" and "broker-setup" run it too. Built from the root of the repository:
#
#   docker build -f deploy/docker/backend.Dockerfile -t localhost/plantops/backend .
#
# All images of PlantOps stand on Debian 12 and take nginx, Mosquitto and PostgreSQL's programs from its packages, so that
# what runs in production is what the tests run. To pin an image by digest: --build-arg RUNTIME_IMAGE=debian@sha256:...
ARG SWIFT_IMAGE=swift:6.3-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${SWIFT_IMAGE} AS builder
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmosquitto-dev libpq-dev libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
# A layer of its own: the packages are fetched again only when their list changes.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
# Not built, but the package names their folders.
COPY Tests Tests
# With the Swift runtime inside, as "make build" does it. Without debugging sections it is half as large; the names that
# a backtrace shows stay.
RUN swift build -c release --static-swift-stdlib --product plantops \
    && install -D "$(swift build -c release --show-bin-path)/plantops" /out/plantops \
    && strip --strip-debug /out/plantops

FROM ${RUNTIME_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libmosquitto1 libpq5 libssl3 tzdata \
    && rm -rf /var/lib/apt/lists/*
COPY --from=builder /out/plantops /usr/local/bin/plantops
COPY deploy/docker/broker/setup.sh /usr/local/lib/plantops/broker-setup.sh
# Whoever cloned the repository may have kept it to himself, and Docker copies a file's mode. A new volume takes over the
# owner of the folder it is mounted on.
RUN chmod -R a+rX /usr/local/lib/plantops \
    && install -d -o 1000 -g 1000 -m 700 /var/lib/plantops /var/lib/plantops/broker /var/lib/plantops/client-certificates
USER 1000:1000
WORKDIR /
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["plantops", "ready"]
# It promises to end within 10 s of this.
STOPSIGNAL SIGTERM
ENTRYPOINT ["plantops"]
CMD ["serve"]
