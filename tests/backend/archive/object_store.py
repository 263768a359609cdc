"""A real HTTP object store on loopback (moto's server) with a bucket made for Object Lock.

It never leaves this machine and keeps nothing after the test.
"""

from __future__ import annotations

import contextlib
import urllib.request
from collections.abc import Iterator

import boto3
from moto.server import ThreadedMotoServer

from backend.archive.worm import S3Client

BUCKET = "archive"


@contextlib.contextmanager
def object_store() -> Iterator[S3Client]:
    """Run the store on a free port; yields boto3's client for it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    # The server's state is the process's: what a former store held goes first.
    reset = urllib.request.Request(f"{address}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset, timeout=60).close()
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    try:
        client.create_bucket(
            Bucket=BUCKET,
            ObjectLockEnabledForBucket=True,
            CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
        )
        yield client
    finally:
        client.close()
        server.stop()
