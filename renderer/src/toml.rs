//! Go-flavoured TOML (`github.com/BurntSushi/toml`), for `toToml` and `fromToml`.

mod decode;
mod encode;
mod lex;

pub use decode::decode;
pub use encode::encode;
