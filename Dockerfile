# A hosted demo. On a Hugging Face Space: README front matter "sdk: docker" and "app_port: 8501".
FROM python:3.12-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends fonts-noto-cjk \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1000 user
USER user
WORKDIR /home/user/app
ENV PATH=/home/user/.local/bin:$PATH \
    CRUX_CACHE=/home/user/crux \
    CRUX_HOSTED=1 \
    HF_HOME=/home/user/hf \
    HF_HUB_DISABLE_TELEMETRY=1 \
    OMP_WAIT_POLICY=PASSIVE \
    STREAMLIT_SERVER_HEADLESS=true \
    STREAMLIT_SERVER_XSRF_COOKIE_SAME_SITE=none

COPY --chown=user requirements.txt .
RUN pip install --no-cache-dir --prefer-binary -r requirements.txt
COPY --chown=user . .
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e .
# The models a visitor may choose are fetched now; the running demo asks nobody for anything.
RUN crux models fetch smollm2
ENV HF_HUB_OFFLINE=1

EXPOSE 8501
HEALTHCHECK --start-period=60s CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/healthz')"
CMD ["streamlit", "run", "dashboard/app.py", "--server.address=0.0.0.0", "--server.port=8501"]
