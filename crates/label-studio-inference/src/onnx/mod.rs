//! Sessions of exported models.
