"""What follows from all claims together: which number must give, what would flip a verdict, what evidence there is."""
