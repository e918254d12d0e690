"""The manual in docs/commands: pages whose facts and replies are written by the code itself."""
