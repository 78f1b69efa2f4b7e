# syntax=docker/dockerfile:1

# The binary is static, so it runs on any Linux. A release puts the binaries that it has built already in the place of this stage.
FROM rust:1.95-slim-bookworm AS binary
ARG TARGETARCH
WORKDIR /src
COPY . .
RUN target="$(rustc --print host-tuple)" \
    && CARGO_PROFILE_RELEASE_STRIP=symbols RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --target "$target" \
    && cp "target/$target/release/rehearse" "/rehearse-${TARGETARCH}"

# With a shell, which --snapshot-command and --exec need.
FROM alpine:3.22
ARG TARGETARCH
LABEL org.opencontainers.image.title="rehearse" \
      org.opencontainers.image.description="Rehearse SQLite migrations on a copy of production data and see what they would lose" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=binary --chmod=755 /rehearse-${TARGETARCH} /usr/local/bin/rehearse
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["rehearse"]
