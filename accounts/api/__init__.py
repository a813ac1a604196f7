"""The accounts room over HTTP: signing in, keys, device links, events."""
