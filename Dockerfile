# Builds any example: docker build --build-arg BACKEND=sklearn_text_classifier .
FROM rust:1-slim-bookworm AS build
ARG BACKEND=the_simplest_backend
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --locked --release --package "$BACKEND" && cp "target/release/$BACKEND" /backend

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /backend /usr/local/bin/backend
ENV PORT=9090 MODEL_DIR=/data/models
EXPOSE 9090
VOLUME /data
ENTRYPOINT ["backend"]
