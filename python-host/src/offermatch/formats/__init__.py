"""Files of tasks and offers."""
