"""Operations and parameters of real modules, counted."""
