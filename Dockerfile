# The service without its embedded database, as an account of no name on a file system that it does not write to.
FROM node:24-trixie-slim AS build
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

FROM node:24-trixie-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 MANAGEMENT_PORT=9464
WORKDIR /srv/countersign
COPY --from=build /srv/countersign ./
USER 10001:10001
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:3000/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The platform's own node.
ENTRYPOINT ["node", "bin/service.mjs"]
