# syntax=docker/dockerfile:1
# The server as an image: docker run -p 9851:9851 -v tile38:/data tile38py
ARG PYTHON=3.12
ARG RUST=1.88

# The wheel holds the engine for every CPython from 3.11 on, so one Rust stage serves any Python.
FROM rust:${RUST}-slim-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends make python3 python3-venv \
 && rm -rf /var/lib/apt/lists/* \
 && python3 -m venv /opt/build \
 && /opt/build/bin/pip install --no-cache-dir 'maturin>=1.9,<2'
WORKDIR /source
COPY pyproject.toml Cargo.toml Cargo.lock README.md LICENSE ./
COPY .cargo .cargo
COPY crates crates
COPY tile38py tile38py
RUN /opt/build/bin/maturin build --release --locked --out /wheels

FROM python:${PYTHON}-slim-bookworm
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir /wheels/*.whl \
 && rm -rf /wheels \
 && useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin tile38 \
 && install -d -o tile38 -g tile38 -m 0700 /data
USER tile38
WORKDIR /data
VOLUME /data
EXPOSE 9851
STOPSIGNAL SIGTERM
# HEALTHZ needs no password; it answers 500 while the log is loaded and on a follower that is behind.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5m --start-interval=1s CMD \
  ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9851/healthz', timeout=2)"]
ENTRYPOINT ["tile38py-server"]
CMD ["-d", "/data"]
