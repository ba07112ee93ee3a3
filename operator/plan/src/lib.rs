//! Pure planning: from a validated spec and what was observed to what shall be.
