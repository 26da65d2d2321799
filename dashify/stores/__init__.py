"""What Dashify keeps, bound to one tenant wherever a tenant exists."""
