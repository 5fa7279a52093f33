# docker build -t dimedove-sandbox . && docker run --rm -p 127.0.0.1:8010:8010 dimedove-sandbox
FROM python:3.11-slim-bookworm

# The context is what .dockerignore lets through: the package, its schemas and what its build reads.
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir './[metrics,redis]'

# A config file mounted here is found by its name alone: docker run … dimedove-sandbox serve --config sandbox.toml
WORKDIR /data
# A new volume that is mounted here belongs to whom the folder belongs: the process can keep its --data in it.
RUN chown 10001:10001 .
ENV DIMEDOVE_SANDBOX_HOST=0.0.0.0 DIMEDOVE_SANDBOX_PORT=8010 DIMEDOVE_SANDBOX_URL_FILE=/tmp/dimedove-sandbox.url
EXPOSE 8010

# A number needs no account in the image, and an orchestrator can see that it isn't root.
USER 10001:10001

# The server writes where it listens, and whether with TLS: flags and the config file may say so too.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s CMD ["dimedove-sandbox", "health"]

ENTRYPOINT ["dimedove-sandbox"]
CMD ["serve"]
