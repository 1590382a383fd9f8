# One image that serves (`app serve`, the default) and migrates (`app migrate`). It drains for up to
# 20 seconds on SIGTERM, and Docker kills after 10: run it with `--stop-timeout 25`, as compose.yaml does.
FROM python:3.12-slim AS base


FROM base AS build

COPY --from=ghcr.io/astral-sh/uv:0.13.8 /uv /usr/local/bin/uv
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_PYTHON_DOWNLOADS=never
WORKDIR /app

RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    uv sync --locked --no-dev --no-install-project

# Installed as a link to /app/src, since the application looks for its migrations beside it. The
# code itself is not needed for that, so that a change of it leaves the runtime's first layers alone.
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    --mount=type=bind,source=README.md,target=README.md \
    --mount=type=bind,source=LICENSE,target=LICENSE \
    --mount=type=bind,source=src/app/__init__.py,target=src/app/__init__.py \
    uv sync --locked --no-dev


FROM base

# The image of Python comes without the bytecode of its library, and no later process may write it.
RUN python -m compileall -q -x '/(ensurepip|idlelib|lib2to3|site-packages|test|tkinter|turtledemo)/' \
    /usr/local/lib/python3.12
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin app
WORKDIR /app
ENV ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PATH=/app/.venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1

COPY --from=build /app/.venv .venv
COPY alembic.ini ./
COPY alembic alembic
COPY src src
RUN python -m compileall -q alembic src

# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Not urllib, which would ask a configured proxy.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["python", "-c", "import os, sys; from http.client import HTTPConnection; probe = HTTPConnection('127.0.0.1', int(os.environ.get('PORT') or 8000), timeout=3); probe.request('GET', '/health/live'); sys.exit(probe.getresponse().status != 200)"]
CMD ["app", "serve"]
