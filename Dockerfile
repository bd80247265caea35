# The command without Python beside it: docker run --rm -v "$PWD:/work:ro" IMAGE check
FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY rules rules
RUN python -m venv /opt/gracelint && /opt/gracelint/bin/pip install --no-cache-dir --disable-pip-version-check '.[lsp]'

FROM python:3.13-slim
# git says which files there are, and which of them are ignored; Debian keeps one version of it, the mended one
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends git && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/gracelint /opt/gracelint
ENV PATH=/opt/gracelint/bin:$PATH
USER 65534:65534
WORKDIR /work
# PID 1 ignores SIGTERM unless it has a handler for it; for SIGINT Python has one
STOPSIGNAL SIGINT
ENTRYPOINT ["gracelint"]
CMD ["check"]
