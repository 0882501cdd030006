//! Go-flavoured JSON (`encoding/json`).
