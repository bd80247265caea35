"""What programs do when they are told to stop, read from their sources: one folder for each language."""
