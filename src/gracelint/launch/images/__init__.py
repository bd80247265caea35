"""What is known of an image: its base, what is installed in it, where its files come from, who builds it."""
