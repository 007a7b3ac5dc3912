# A coordinator or a prediction server. Build: docker build -t tabgrad .
# Run: docker run -p 7070:7070 -v tabgrad:/var/lib/tabgrad tabgrad
# The first start prints the join link; "docker exec CONTAINER tabgrad status" does later.
# scripts/pinImages.mjs adds the digest of the image below.
ARG NODE_IMAGE=node:22.23.2-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build:js && find dist -name '*.map' -delete

# What package-lock.json has, checked against its hashes. Binaries come with the packages: no scripts are needed.
FROM ${NODE_IMAGE} AS packages
WORKDIR /opt/tabgrad
COPY package.json package-lock.json .npmrc ./
# Dawn's package has the binaries of all platforms; the image runs on one.
RUN npm ci --omit=dev \
  && find node_modules/webgpu/dist -mindepth 1 -maxdepth 1 \
    ! -name "$(node -p 'process.platform + "-" + process.arch')" -exec rm -r {} +

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
COPY --from=packages /opt/tabgrad /opt/tabgrad
COPY --from=build /build/dist /opt/tabgrad/dist
COPY LICENSE /opt/tabgrad/
# The image has no need of npm, which reads and runs whatever it is told to.
RUN rm -rf /usr/local/lib/node_modules/npm /usr/local/bin/npm /usr/local/bin/npx \
  && chmod 755 /opt/tabgrad/dist/node/cli.js \
  && ln -s /opt/tabgrad/dist/node/cli.js /usr/local/bin/tabgrad \
  && mkdir -p /var/lib/tabgrad \
  && chown node:node /var/lib/tabgrad
USER node
WORKDIR /var/lib/tabgrad
VOLUME /var/lib/tabgrad
EXPOSE 7070
# Set TABGRAD_HEALTH_URL where it listens elsewhere (tabgrad serve: http://127.0.0.1:8000/-/healthz).
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.TABGRAD_HEALTH_URL ?? 'http://127.0.0.1:7070/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tabgrad"]
CMD ["up", "--host", "0.0.0.0", "--storage", "/var/lib/tabgrad"]
