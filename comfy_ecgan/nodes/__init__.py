"""The nodes: a schema and a short `execute` each."""
