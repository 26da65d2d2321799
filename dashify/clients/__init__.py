"""What Dashify calls: queues, pub/sub, mail, models."""
