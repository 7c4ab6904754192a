# A small image: the program, linked statically, the authorities that it trusts, and nothing else.
#
#   docker build --tag stheno .
#   docker run --publish 9000:9000 --volume stheno:/data stheno

FROM rust:1.95-alpine AS build
RUN apk add --no-cache build-base ca-certificates
WORKDIR /source
COPY . .
RUN cargo build --package=stheno --profile=release --locked
# What a file system must have besides: a folder for what large answers leave on the disk, and one for the data.
RUN mkdir -p /root-of-image/tmp /root-of-image/data && chmod 1777 /root-of-image/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build --chown=65532:65532 /root-of-image/ /
COPY --from=build /source/target/release/stheno /stheno
USER 65532:65532
WORKDIR /data
VOLUME /data
ENV STHENO_HOST=0.0.0.0 PORT=9000 STHENO_LOG_FORMAT=json
EXPOSE 9000
# It ends at SIGTERM when the requests in flight are answered.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/stheno"]
CMD ["serve"]
