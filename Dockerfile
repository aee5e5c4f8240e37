# The app, the API and Ray nodes are one image:  docker build -t realesrgan .
# PyTorch's usual build runs on the CPU and on NVIDIA GPUs (docker run --gpus all). Where there will be no GPU, leave
# PyTorch out, and five gigabytes with it:  --build-arg REQUIREMENTS=requirements-cpu.txt
# Or name an index with CPU builds of it, for checkpoints of other architectures:  --build-arg EXTRA_INDEX=<address>
FROM python:3.12-slim

# OpenCV's and PyAV's system libraries, and tini: it passes signals on and buries dead children.
# Not pinned: the distribution keeps no older versions, so that a pinned one stops the build at its next update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 tini \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app

ARG EXTRA_INDEX=""
ARG REQUIREMENTS="requirements.txt"
COPY requirements*.txt ./
RUN pip install --no-cache-dir ${EXTRA_INDEX:+--extra-index-url "$EXTRA_INDEX"} \
    -r "$REQUIREMENTS" -r requirements-ray.txt

COPY . .

RUN useradd --uid 10001 --create-home app \
    && mkdir -p weights outputs cache data logs \
    && chown -R app weights outputs cache data logs
USER 10001

# Inside a container the app has to listen on the container's address; publish the port on loopback (see compose).
ENV REALESRGAN_SERVER_NAME=0.0.0.0 \
    HOME=/home/app
EXPOSE 7860
VOLUME ["/app/weights", "/app/outputs", "/app/cache", "/app/data"]
HEALTHCHECK --start-period=30s CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('REALESRGAN_SERVER_PORT', '7860') + '/health', timeout=5)"]

ENTRYPOINT ["tini", "--", "python", "main.py"]
CMD ["serve"]
