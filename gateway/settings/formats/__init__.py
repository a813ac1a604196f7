"""How times are written on pages: one form for everybody, in UTC."""
