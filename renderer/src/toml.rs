//! Go-flavoured TOML (`github.com/BurntSushi/toml`), for `toToml` and `fromToml`.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;
