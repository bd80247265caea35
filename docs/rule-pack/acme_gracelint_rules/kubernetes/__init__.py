"""Rules about what one manifest says."""
