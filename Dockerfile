# syntax=docker/dockerfile:1
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package docket && cp target/release/docket /docket

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data docket \
 && install --directory --owner docket --group docket --mode 0700 /data
COPY --from=build /docket /usr/local/bin/docket
USER docket
WORKDIR /data
VOLUME /data
ENV DOCKET_DATA_DIR=/data DOCKET_LISTEN=0.0.0.0:8080 DOCKET_LOG_FORMAT=json
EXPOSE 8080
# SIGTERM ends it in order: unready, drain, flush, close
STOPSIGNAL SIGTERM
ENTRYPOINT ["docket"]
CMD ["serve"]
