# The service without its embedded database, as an account of no name on a file system that it does not write to.
FROM node:24-trixie-slim AS build
WORKDIR /srv/countersign
COPY package.json package-lock.json .npmrc prisma.config.ts ./
COPY prisma prisma
# Makes the database client too (npm's `prepare`). What is optional is the embedded database of a development set-up.
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund
COPY bin bin
COPY src src
RUN npm run prepare

FROM node:24-trixie-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 MANAGEMENT_PORT=9464
WORKDIR /srv/countersign
COPY --from=build /srv/countersign ./
USER 10001:10001
EXPOSE 3000 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:3000/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The platform's own node: the one in node_modules is for machines without.
ENTRYPOINT ["node", "bin/service.mjs"]
