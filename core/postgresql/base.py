"""The database backend: `ENGINE = "core.postgresql"`."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, but a kept connection is judged by its socket.

    PostgreSQL speaks unasked only to say that it is going away: a readable or closed socket means a connection to
    throw away. Django's own check asks `SELECT 1` before the first statement of every request.
    """

    def is_usable(self) -> bool:
        """Whether the kept connection is alive."""
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)
        return not poll.poll(0)
