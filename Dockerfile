# syntax=docker/dockerfile:1
# Stage 1: resolve exactly what deno.lock says, bundle, compile.
FROM denoland/deno:2.9.6 AS build
WORKDIR /src
COPY deno.json deno.lock ./
COPY main.ts ./
COPY src ./src
COPY .ci/bundle.ts .ci/eager.ts ./.ci/
# What the bundle runs to see which functions a start needs.
COPY chart ./chart
COPY examples/site ./examples/site
RUN deno install --frozen --entrypoint main.ts && deno task compile && mkdir -p /var/lib/pilotfish

# Stage 2: one binary, no shell, not root. The root file system may be read-only: everything is written below /var/lib/pilotfish.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/build/pilotfish /usr/local/bin/pilotfish
# Made with its owner: a volume that is mounted here anew takes it over, and one of root's would refuse us.
COPY --from=build --chown=65532:65532 /var/lib/pilotfish /var/lib/pilotfish
# Trust what the image and the operator trust, beside the roots of the runtime.
ENV DENO_TLS_CA_STORE=system,mozilla \
    PILOTFISH_STORE=/var/lib/pilotfish \
    PILOTFISH_LISTEN=0.0.0.0:9292
USER 65532:65532
VOLUME ["/var/lib/pilotfish"]
EXPOSE 9292
ENTRYPOINT ["/usr/local/bin/pilotfish"]
CMD ["run", "--config", "/etc/pilotfish"]
