"""From facts to launches: which files belong together, what PID 1 is, and what a stop signal meets on its way."""
