//! The only door for outside text and secrets: made visible before it reaches a terminal, redacted before it is kept,
//! encoded once per sink. Knows nothing of the product's nouns.
