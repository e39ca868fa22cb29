# The pipeline alone. Nothing is compiled here: every dependency comes as a wheel, for amd64 and arm64 alike.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python3 -m venv /opt/ingest
WORKDIR /src
# The locked dependencies first: they change seldom, so that a new version of the program rebuilds in seconds.
COPY requirements.lock ./
RUN /opt/ingest/bin/pip install --only-binary :all: -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY ingest ingest
RUN /opt/ingest/bin/pip install --no-deps . \
    && /opt/ingest/bin/pip uninstall --yes pip \
    && find /opt/ingest -type d \( -name tests -o -name test \) -path '*/site-packages/*' -prune -exec rm -rf {} +

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="enphase-ingest" \
      org.opencontainers.image.description="Your own copy of your Enphase solar data, kept in sync with the cloud, within your API quota" \
      org.opencontainers.image.licenses="MIT"
# 1000 is also the first user of most hosts: a folder of yours can take the place of the volume.
RUN groupadd --gid 1000 ingest \
    && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /var/lib/ingest --shell /usr/sbin/nologin ingest \
    && install -d -o 1000 -g 1000 -m 0700 /var/lib/ingest /var/lib/influxdb-token
COPY --from=build /opt/ingest /opt/ingest
COPY config/compose.image.yaml /etc/ingest/ingest.yaml
ENV PATH=/opt/ingest/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    INGEST_CONFIG=/etc/ingest/ingest.yaml \
    INGEST_STATE_DIR=/var/lib/ingest
USER 1000:1000
WORKDIR /var/lib/ingest
VOLUME /var/lib/ingest
EXPOSE 8080
STOPSIGNAL SIGTERM
# The image has neither curl nor wget; no proxy of the environment may stand between.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python3", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8080/healthz', timeout=4)"]
ENTRYPOINT ["ingest"]
CMD ["run"]
