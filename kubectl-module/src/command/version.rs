//! `kubectl module version`.

use clap::Args;
use serde_json::json;

use crate::command::SUCCESS;
use crate::failure::Failure;
use crate::output::Format;
use crate::terminal::Terminal;

/// Print the version of this plugin
#[derive(Args, Debug)]
pub(crate) struct VersionArguments {
    /// Output format
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Format>,
}

impl VersionArguments {
    pub(crate) fn run(self, terminal: &Terminal) -> Result<u8, Failure> {
        let version = env!("CARGO_PKG_VERSION");
        let platform = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
        let text = match self.output {
            None => format!("Client Version: v{version}\n"),
            Some(format) => {
                format.write(&json!({"clientVersion": {"gitVersion": format!("v{version}"), "platform": platform}}))?
            }
        };
        terminal.print(&text)?;
        Ok(SUCCESS)
    }
}
