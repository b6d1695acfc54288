# Not run in CI, which has no container engine; see docs/deploy.md.

# The locked libraries and the wheel, in an environment of their own, by the Python that the tests run on.
FROM python:3.11-slim-bookworm AS build
RUN python -m venv --without-pip /opt/ostiary
WORKDIR /source
COPY requirements/serve.txt requirements/
RUN pip --python /opt/ostiary install --no-cache-dir --require-hashes --requirement requirements/serve.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip --python /opt/ostiary install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
COPY --from=build /opt/ostiary /opt/ostiary
RUN useradd --uid 10001 --no-create-home --home-dir /var/lib/ostiary --shell /usr/sbin/nologin ostiary \
    && install --directory --mode 0700 --owner ostiary --group ostiary /var/lib/ostiary
ENV PATH=/opt/ostiary/bin:$PATH \
    OSTIARY_HOST=0.0.0.0 \
    OSTIARY_DATA_DIR=/var/lib/ostiary
# By number, so that Kubernetes can tell that it is not root.
USER 10001
WORKDIR /var/lib/ostiary
VOLUME /var/lib/ostiary
EXPOSE 8000
STOPSIGNAL SIGTERM
# Whether the process lives, and not whether it is ready: nobody should restart it because the database is away.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from http.client import HTTPConnection; asked = HTTPConnection('127.0.0.1', 8000, timeout=4); asked.request('GET', '/health/live'); exit(asked.getresponse().status != 200)"]
ENTRYPOINT ["ostiary"]
CMD ["serve"]
