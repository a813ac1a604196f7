"""An account's data as a whole, over all rooms: handed out, and erased."""
