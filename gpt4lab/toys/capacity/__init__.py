"""Study: how many bits a parameter holds."""
