"""Study: fresh tokens against repeated ones."""
