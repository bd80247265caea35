"""A rule pack as a team might write it: small rules that show what the engine makes of them."""
