"""Who may do what. A token's claims become a role here, and nothing that needs a role takes less than its type."""
