"""audio.annotation.reference: what is said or sung in a sound, when, and on which beat."""
