# A node: this host's app (Atrium here), its libraries as locked, and nothing that only building needs.
FROM python:3.13-slim AS build
WORKDIR /source
RUN python -m venv /opt/build && python -m venv /opt/keyrack
COPY requirements.lock requirements-build.lock ./
RUN /opt/keyrack/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
RUN /opt/build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY . .
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .
RUN /opt/keyrack/bin/pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 keyrack && install -d -o keyrack -m 700 /data
COPY --from=build /opt/keyrack /opt/keyrack
ENV PATH=/opt/keyrack/bin:$PATH KEYRACK_APP=atrium.app:app KEYRACK_DATA=/data KEYRACK_LOG_FORMAT=json
USER keyrack
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["keyrack"]
CMD ["serve", "atrium.app:app", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]
