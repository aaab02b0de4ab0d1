# syntax=docker/dockerfile:1
# Everything `sojourn` does: one process on one folder, or a door, a worker and the commands of a cluster.
#
#   docker build -f deploy/images/sojourn.Dockerfile -t sojourn:0.1.0 .
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS build
ARG UV_VERSION=0.13.9
WORKDIR /build
RUN pip install --no-cache-dir "uv==${UV_VERSION}"
COPY pyproject.toml uv.lock ./
# What uv.lock says, by its hashes; with the clients of Kafka and of the serving store.
RUN uv export --quiet --frozen --no-dev --extra cluster --no-emit-project --output-file locked.txt \
    && uv venv --quiet /opt/sojourn \
    && uv pip sync --quiet --require-hashes --python /opt/sojourn/bin/python locked.txt
COPY LICENSE README.md hatch_build.py ./
COPY web web
COPY src src
# The wheel, with the studio in it.
RUN uv build --quiet --wheel --out-dir dist \
    && uv pip install --quiet --no-deps --python /opt/sojourn/bin/python dist/*.whl

FROM python:${PYTHON}
ENV PATH=/opt/sojourn/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    SOJOURN_HTTP_HOST=0.0.0.0
RUN groupadd --gid 10001 sojourn \
    && useradd --uid 10001 --gid sojourn --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin sojourn \
    && install -d -o sojourn -g sojourn /srv/sojourn /srv/sojourn/data
COPY --from=build /opt/sojourn /opt/sojourn
USER 10001:10001
WORKDIR /srv/sojourn
# The root may be read-only: only the data folder is written to.
VOLUME /srv/sojourn/data
EXPOSE 8080
STOPSIGNAL SIGTERM
# A server, a door and a worker have it; it says whether it takes events, or actions.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/ready', timeout=2)"]
ENTRYPOINT ["sojourn"]
CMD ["serve"]
