"""Models written from the specification: slow, plain, and sharing no code with the engine."""
