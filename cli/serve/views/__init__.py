"""What answers each address of the desk."""
