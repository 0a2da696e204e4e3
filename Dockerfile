# syntax=docker/dockerfile:1
# The keeper as an image: nothing but Python and the locked packages, run by a user without rights, on a read-only root.
#
#   docker build --tag navoracle .
#   docker run --rm navoracle demo --hours 6
#
# A tag can be moved. To pin the very bytes: --build-arg BASE=python@sha256:...
ARG BASE=python:3.12.11-slim-bookworm

FROM ${BASE} AS build
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PROJECT_ENVIRONMENT=/opt/navoracle
RUN ["python", "-m", "pip", "install", "--no-cache-dir", "--root-user-action=ignore", "uv==0.13.8"]
WORKDIR /src
# The packages first: they are the large layer, and change with the lock file alone.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN ["uv", "sync", "--frozen", "--no-default-groups", "--all-extras", "--no-install-project"]
COPY config config
COPY contracts/abi contracts/abi
COPY navoracle navoracle
RUN ["uv", "sync", "--frozen", "--no-default-groups", "--all-extras", "--no-editable"]

FROM ${BASE}
ENV PATH=/opt/navoracle/bin:$PATH \
    NAVORACLE_CONFIG=/etc/navoracle/navoracle.yaml \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN ["install", "--directory", "--owner=10001", "--group=10001", "--mode=0700", "/var/lib/navoracle"]
COPY --from=build /opt/navoracle /opt/navoracle
USER 10001:10001
# The one place that is written to, with /tmp; both can be mounted over a read-only root.
WORKDIR /var/lib/navoracle
VOLUME ["/var/lib/navoracle"]
EXPOSE 9187
# A NAV that is old is no reason to start anew, a loop that stands still is: /livez, not /healthz.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9187/livez', timeout=4)"]
ENTRYPOINT ["navoracle"]
# A rehearsal; `run --live` signs and sends.
CMD ["--log-format", "json", "run"]
