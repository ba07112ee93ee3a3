//! Pure reinforcement-learning mathematics: numbers in, numbers out.
