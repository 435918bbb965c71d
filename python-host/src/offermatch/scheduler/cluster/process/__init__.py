"""This machine as a server that runs processes under limits."""
