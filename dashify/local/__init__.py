"""What a laptop runs in place of servers, and the supervisor that keeps it alive."""
