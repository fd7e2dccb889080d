# syntax=docker/dockerfile:1
# Build: docker build -t jobthread .
# Run:   docker run --read-only --tmpfs /tmp -v jobthread:/var/lib/jobthread \
#          -v ./jobthread.toml:/etc/jobthread/jobthread.toml:ro --env-file secrets.env jobthread

FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/jobthread
COPY requirements/serve.txt requirements/serve.txt
RUN /opt/jobthread/bin/pip install --require-hashes -r requirements/serve.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY localslack localslack
COPY plugins plugins
RUN /opt/jobthread/bin/pip install --no-deps --no-build-isolation . \
    && /opt/jobthread/bin/pip uninstall --yes \
        editables hatchling packaging pathspec tomlkit trove-classifiers setuptools pip \
    && python -m compileall -q /opt/jobthread/lib

FROM python:3.11-slim
LABEL org.opencontainers.image.title="jobthread" \
      org.opencontainers.image.description="Ask about a job in Slack; its thread tells you the rest." \
      org.opencontainers.image.licenses="MIT"
RUN useradd --system --uid 10001 --home-dir /var/lib/jobthread --create-home jobthread
COPY --from=build /opt/jobthread /opt/jobthread
ENV PATH=/opt/jobthread/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    JOBTHREAD_WEB__PORT=8080
USER 10001
WORKDIR /var/lib/jobthread
VOLUME /var/lib/jobthread
STOPSIGNAL SIGTERM
# In HTTP mode Slack must reach the port: set JOBTHREAD_WEB__HOST=0.0.0.0 and publish 8080.
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['JOBTHREAD_WEB__PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["jobthread"]
CMD ["serve", "--config", "/etc/jobthread/jobthread.toml"]
