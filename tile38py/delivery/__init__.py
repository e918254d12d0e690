"""Hook events from their write to their endpoints. Knows no scheme and no broker."""
