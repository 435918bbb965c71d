"""The component: loading, judging and calling it."""
