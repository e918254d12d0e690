"""Programs of the Python libraries, which run in a virtual environment for each version."""
