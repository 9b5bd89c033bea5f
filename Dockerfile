# The service without its embedded database, as an account of no name on a file system that it does not write to.
# The digest is that of the index for all platforms (docs/operations.md, Images). For another image: --build-arg NODE_IMAGE=…
ARG NODE_IMAGE=node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66
FROM ${NODE_IMAGE} AS build
WORKDIR /srv/countersign
COPY package.json package-lock.json .npmrc ./
COPY packages/kit/package.json packages/kit/
COPY examples/bank/package.json examples/bank/
COPY tools/package/prepare.mjs tools/package/
# The optional packages are for development: the embedded database, and a Node for machines without.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund
COPY prisma prisma
COPY bin bin
COPY src src

FROM ${NODE_IMAGE}
# A container has a network of its own. Publish port 9464 to the network of your Prometheus only.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 MANAGEMENT_HOST=0.0.0.0 MANAGEMENT_PORT=9464
WORKDIR /srv/countersign
COPY --from=build /srv/countersign ./
USER 10001:10001
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:3000/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The platform's own node.
ENTRYPOINT ["node", "bin/service.mjs"]
