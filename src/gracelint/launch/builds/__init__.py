"""What the repository builds: the names that build files, scripts and pipelines give to images."""
