# Builds any example: docker build --build-arg BACKEND=sklearn_text_classifier .
# RELEASE.md says how to pin the base images by digest.
FROM rust:1-slim-bookworm AS build
ARG BACKEND=the_simplest_backend
RUN apt-get update && apt-get install -y --no-install-recommends build-essential python3-venv && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --locked --release --package "$BACKEND" && install -D "target/release/$BACKEND" /out/backend
# Backends that run ONNX models load the library from beside the program.
RUN if cargo tree --locked --package "$BACKEND" --edges normal --prefix none --format '{lib}' | grep -qx ort; then \
      scripts/install_onnxruntime.sh /ort && \
      cp /ort/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.* /out/; \
    fi

# Label Studio's editor, in which the dashboard shows predictions.
FROM debian:bookworm-slim AS editor
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3-venv && rm -rf /var/lib/apt/lists/*
COPY scripts/get_dashboard_editor.py /
RUN python3 -m venv /venv && /venv/bin/python /get_dashboard_editor.py /editor

FROM debian:bookworm-slim
# Programs that a backend runs, such as tesseract-ocr.
ARG PACKAGES=""
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates $PACKAGES && rm -rf /var/lib/apt/lists/* && \
    useradd --create-home --uid 1000 backend && mkdir -p /data/models && chown -R 1000:1000 /data
COPY --from=build /out/ /usr/local/bin/
COPY --from=editor /editor /usr/local/share/label-studio-editor
ENV PORT=9090 MODEL_DIR=/data/models DASHBOARD_EDITOR=/usr/local/share/label-studio-editor
EXPOSE 9090
VOLUME /data
# By number, so that Kubernetes can see that it is not root (runAsNonRoot).
USER 1000:1000
# Every answer counts: with a password it is 401.
HEALTHCHECK --interval=10s --timeout=3s CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3 && head -c 4 <&3 | grep -q HTTP"]
ENTRYPOINT ["backend"]
