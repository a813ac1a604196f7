"""audio.speak: a text is spoken, by a described, a cloned or a Gemini voice."""
