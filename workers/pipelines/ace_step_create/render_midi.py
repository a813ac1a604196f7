"""A program: MIDI on standard input, 48 kHz 16-bit stereo samples on standard output, by way of a soundfont.

Run by path as `python -I render_midi.py <soundfont>`. The renderer holds the interpreter's lock for seconds at a time;
in a process of its own it holds up nobody's heartbeat, uses another core and can be ended at any moment.
"""

import sys
from pathlib import Path

_HEADER_BYTES = 44


def main() -> None:
    """Render once."""
    import midirenderer

    wave = midirenderer.render_wave_from(Path(sys.argv[1]).read_bytes(), sys.stdin.buffer.read())
    sys.stdout.buffer.write(wave[_HEADER_BYTES:])


if __name__ == "__main__":
    main()
