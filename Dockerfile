# The images of `init` and `pause`: each one static file on nothing (contract G1).
#
#   docker build --target init  --tag bitts-init  .
#   docker build --target pause --tag bitts-pause .
#
# Kept to what the classic builder of Docker 20.10 understands: no `RUN --mount`, no `COPY --chmod`.

# Any image with cargo, rustc and cc. One without rustup must bring the musl target itself.
ARG BUILDER=rust:1.95.0-slim-bookworm
# The workspace's version; the tests compare it with Cargo.toml.
ARG VERSION=0.1.0
# The commit that is built, in full. There is no repository in the build context to ask.
ARG REVISION=
# Where the source can be had: whoever publishes the image knows.
ARG SOURCE=

# The build runs on the builder's own architecture and cross-compiles: rust-lld links all of them. The classic builder
# knows no BUILDPLATFORM; `linux` means its own.
FROM --platform=${BUILDPLATFORM:-linux} ${BUILDER} AS build
ARG REVISION
# Set by BuildKit from --platform. The classic builder builds for its own architecture only.
ARG TARGETARCH
# The files' time stamp, so that the same source gives the same layer.
ARG SOURCE_DATE_EPOCH=0
WORKDIR /bitts
COPY . .
# `--locked`: the versions that were tested. The hash is cut as git cuts it in a checkout, so that the bytes are the same.
RUN set -eu; \
    case "${TARGETARCH:-$(uname -m)}" in \
        amd64 | x86_64) target=x86_64-unknown-linux-musl ;; \
        arm64 | aarch64) target=aarch64-unknown-linux-musl ;; \
        386 | i686) target=i686-unknown-linux-musl ;; \
        *) echo "no build for ${TARGETARCH:-$(uname -m)} yet" >&2; exit 1 ;; \
    esac; \
    [ -d "$(rustc --print target-libdir --target "$target")" ] || rustup target add "$target"; \
    BITTS_GIT_HASH="$(echo "$REVISION" | cut -c 1-12)" \
        cargo build --release --locked --package init --package pause --target "$target"; \
    mkdir /out; \
    for program in init pause; do \
        cp "target/$target/release/$program" /out/; \
        chmod 0755 "/out/$program"; \
        touch -d "@$SOURCE_DATE_EPOCH" "/out/$program"; \
    done

# To be copied from, `COPY --from=bitts-init /init /init`, or built upon. No USER: that is for the image that uses it to say.
FROM scratch AS init
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.title="bitts init" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /out/init /init
ENTRYPOINT ["/init", "--"]

# Numbers for user and group: there is no /etc/passwd, and a kubelet with runAsNonRoot can check only a number.
FROM scratch AS pause
ARG VERSION
ARG REVISION
ARG SOURCE
LABEL org.opencontainers.image.title="bitts pause" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /out/pause /pause
USER 65535:65535
ENTRYPOINT ["/pause"]
