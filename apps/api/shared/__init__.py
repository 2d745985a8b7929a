"""What several contracts print: the error body, authentication, health."""
