"""What tests share: clients, server processes, waiting, oracles. Holds no tests."""
