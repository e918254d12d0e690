# The server as an image, for Docker 20.10 or buildah 1.28 and newer:
#   docker build -t tile38py .
#   docker run -p 127.0.0.1:9851:9851 -v tile38:/data tile38py
# Only this machine reaches it so. Before others may (-p 9851:9851), set a password:
#   redis-cli -p 9851 CONFIG SET requirepass secret; redis-cli -p 9851 -a secret CONFIG REWRITE
# buildah keeps the health check with --format docker.
ARG RUST_IMAGE=rust:1.88-slim-bookworm
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

# The wheel holds the engine for every CPython from 3.11 on, so one Rust stage serves any Python.
FROM ${RUST_IMAGE} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends make python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /opt/build
WORKDIR /source
COPY requirements requirements
RUN /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml Cargo.toml Cargo.lock README.md LICENSE ./
COPY .cargo .cargo
COPY crates crates
COPY tile38py tile38py
RUN /opt/build/bin/maturin build --release --locked --out /wheels

# Clients for all kinds of hooks are in the image.
FROM ${PYTHON_IMAGE}
COPY requirements/image.txt /wheels/
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir --require-hashes -r /wheels/image.txt \
 && pip install --no-cache-dir --no-index /wheels/*.whl \
 && rm -rf /wheels \
 && groupadd --gid 10001 tile38 \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin tile38 \
 && install -d -o tile38 -g tile38 -m 0700 /data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 9851
STOPSIGNAL SIGTERM
# Asks the server where it listens, whatever its options. No while the log is loaded, and on a
# follower that is behind.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5m CMD ["tile38py-health", "-d", "/data"]
# Options of `docker run` come behind these: the data stays in the volume.
ENTRYPOINT ["tile38py-server", "-d", "/data"]
CMD []
