"""What Dashify does: one plain function for each thing a user can do, ctx first."""
