"""What operators deploy and run the service with. Nothing of it is deployed itself (.funcignore)."""
