"""The files of a project: which there are, what they hold, and what is known of them between runs."""
