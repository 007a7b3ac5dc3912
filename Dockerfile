# A coordinator or a prediction server. Build: docker build -t tabgrad .
# Run: docker run -p 7070:7070 -v tabgrad:/var/lib/tabgrad tabgrad
# The first start prints the join link; "docker exec CONTAINER tabgrad status" does later.

FROM node:22-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
# Type declarations and bundles, packed as npm would publish them.
RUN npm run build && npm pack --ignore-scripts --pack-destination /package

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /opt/tabgrad
COPY --from=build /package/tabgrad-*.tgz /tmp/tabgrad.tgz
# Binaries come with the packages of each platform: no scripts are needed.
RUN echo '{"private":true}' > package.json \
  && npm install --omit=dev --ignore-scripts --no-audit --no-fund /tmp/tabgrad.tgz \
  && rm -rf /tmp/tabgrad.tgz /root/.npm \
  && mkdir -p /var/lib/tabgrad \
  && chown node:node /var/lib/tabgrad
ENV PATH=/opt/tabgrad/node_modules/.bin:$PATH
USER node
WORKDIR /var/lib/tabgrad
VOLUME /var/lib/tabgrad
EXPOSE 7070
# Set TABGRAD_HEALTH_URL where it listens elsewhere (tabgrad serve: http://127.0.0.1:8000/-/healthz).
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(process.env.TABGRAD_HEALTH_URL ?? 'http://127.0.0.1:7070/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tabgrad"]
CMD ["up", "--host", "0.0.0.0", "--storage", "/var/lib/tabgrad"]
