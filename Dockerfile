# The app, the API and Ray nodes are one image:  docker build -t realesrgan .
# PyTorch's usual build runs on the CPU and on NVIDIA GPUs (docker run --gpus all). Where there will be no GPU, name an
# index with CPU builds, which are ten times smaller:  --build-arg EXTRA_INDEX=<address>
FROM python:3.12-slim

# OpenCV's and PyAV's system libraries, and tini: it passes signals on and buries dead children.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgl1 libglib2.0-0 tini \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /app

ARG EXTRA_INDEX=""
COPY requirements.txt requirements-ray.txt ./
RUN pip install --no-cache-dir ${EXTRA_INDEX:+--extra-index-url "$EXTRA_INDEX"} \
    -r requirements.txt -r requirements-ray.txt

COPY . .

RUN useradd --create-home app \
    && mkdir -p weights outputs cache logs \
    && chown -R app weights outputs cache logs
USER app

# Inside a container the app has to listen on the container's address; publish the port on loopback (see compose).
ENV REALESRGAN_SERVER_NAME=0.0.0.0
EXPOSE 7860
VOLUME ["/app/weights", "/app/outputs", "/app/cache"]
HEALTHCHECK CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/health', timeout=5)"]

ENTRYPOINT ["tini", "--", "python", "main.py"]
CMD ["serve"]
