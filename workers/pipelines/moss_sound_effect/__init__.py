"""moss.sound.effect without a model: sounds synthesised by procedure from an event vocabulary."""
