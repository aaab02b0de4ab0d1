# syntax=docker/dockerfile:1
# The job: Flink as PyFlink brings it, which is what `make cluster-test` runs on, and the pure rooms of Sojourn.
#
#   docker build -f deploy/images/flink.Dockerfile -t sojourn-flink:0.1.0 .
ARG PYTHON=3.11-slim-bookworm

FROM maven:3.9-eclipse-temurin-17 AS jars
WORKDIR /jars
COPY deploy/flink/pom.xml flink/pom.xml
COPY deploy/images/plugins.pom.xml plugins/pom.xml
RUN mvn -q -B -f flink/pom.xml dependency:copy-dependencies -DoutputDirectory=/jars/lib \
    && mvn -q -B -f plugins/pom.xml dependency:copy-dependencies -DoutputDirectory=/jars/s3

FROM python:${PYTHON} AS build
# Some of its pins come as sources: crcmod has C in it, and pemja needs Java to build.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential openjdk-17-jdk-headless \
    && rm -rf /var/lib/apt/lists/*
COPY deploy/flink/requirements.txt .
RUN python -m venv /opt/flink-python && /opt/flink-python/bin/pip install --no-cache-dir --requirement requirements.txt

FROM python:${PYTHON}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless procps tini \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s /usr/lib/jvm/java-17-openjdk-* /opt/java \
    && groupadd --gid 9999 flink \
    && useradd --uid 9999 --gid flink --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin flink
COPY --from=build /opt/flink-python /opt/flink-python
# This environment comes first on PATH: a TaskManager finds Python in its JVM by it, and by nothing else.
ENV PATH=/opt/flink-python/bin:/opt/flink/bin:/opt/java/bin:$PATH \
    JAVA_HOME=/opt/java \
    FLINK_HOME=/opt/flink \
    FLINK_LIB_DIR=/opt/flink/lib \
    FLINK_OPT_DIR=/opt/flink/opt \
    FLINK_PLUGINS_DIR=/opt/flink/plugins \
    FLINK_CONF_DIR=/opt/flink/conf \
    FLINK_LOG_DIR=/opt/flink/log \
    PYTHONPATH=/opt/sojourn \
    PYTHONDONTWRITEBYTECODE=1
# Jars lie in lib/, where one class loader has them: a second one cannot load Python again.
RUN ln -s "$(echo /opt/flink-python/lib/python3*/site-packages/pyflink)" /opt/flink \
    && chmod +x /opt/flink/bin/* \
    && ln -s ../opt/flink-python-2.2.1.jar /opt/flink/lib/ \
    && install -d -o flink -g flink /opt/flink/log /var/flink
COPY --from=jars /jars/lib /opt/flink/lib
COPY --from=jars /jars/s3 /opt/flink/plugins/s3
COPY deploy/flink/config.yaml /opt/flink/conf/config.yaml
COPY src/sojourn/__init__.py /opt/sojourn/sojourn/__init__.py
COPY src/sojourn/model /opt/sojourn/sojourn/model
COPY src/sojourn/definitions /opt/sojourn/sojourn/definitions
COPY src/sojourn/engine /opt/sojourn/sojourn/engine
COPY src/sojourn/runtime /opt/sojourn/sojourn/runtime
USER 9999:9999
WORKDIR /opt/flink
# The root may be read-only: /tmp, /opt/flink/log and where checkpoints go are written to.
EXPOSE 6123 8081 9249
# Hands on what it is told to run, as Flink's operator and the compose file tell it.
ENTRYPOINT ["tini", "--"]
CMD ["taskmanager.sh", "start-foreground"]
