"""Control events: written with their cause, handled once, kept until they are."""
