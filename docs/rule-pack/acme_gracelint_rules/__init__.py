"""House rules of Acme for graceful shutdown."""
