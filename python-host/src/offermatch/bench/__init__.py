"""What `offermatch bench` measures, one module a question."""
