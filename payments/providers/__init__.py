"""The companies that receive money for us: what they are asked, and what their answers mean here."""
