"""Kubernetes: its API, and a scheduler of its pods."""
