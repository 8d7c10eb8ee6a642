# The worker, the alert receiver and the command line in one image; the sandbox in another, built from the same stages.
# glibc: the SDK's native core is not built for musl.
ARG NODE_IMAGE=node:24.22-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev

# Stand-ins of Signon, Argo CD and Kubernetes, for docker-compose's profile of that name. Never beside production.
FROM build AS sandbox
ENV TMPDIR=/app/.demo
RUN mkdir .demo && chown 1000:1000 .demo
USER 1000:1000
CMD ["node", "--import", "tsx", "sandbox/serve.ts"]

FROM ${NODE_IMAGE} AS worker
ENV NODE_ENV=production MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/package.json package.json
COPY --from=build /app/dist dist
USER 1000:1000
CMD ["node", "--max-semi-space-size=2", "--max-old-space-size=512", "dist/worker/main.mjs"]
