//! The subcommands: one file each.

mod check;
mod edit;
mod explain;
mod get;
mod preview;
mod render;
mod set;
mod version;

use std::sync::OnceLock;

use clap::Subcommand;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;
use crate::global::GlobalArguments;
use crate::terminal::Terminal;

/// Ends well.
pub(crate) const SUCCESS: u8 = 0;

/// A subcommand and its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(check::CheckArguments),
    Edit(edit::EditArguments),
    Explain(explain::ExplainArguments),
    Get(get::GetArguments),
    Preview(preview::PreviewArguments),
    Render(render::RenderArguments),
    Set(set::SetArguments),
    Version(version::VersionArguments),
}

impl Command {
    /// Runs the subcommand; the result is the process' exit code.
    pub(crate) fn run(self, globals: &GlobalArguments, terminal: &Terminal) -> Result<u8, Failure> {
        match self {
            Self::Check(arguments) => arguments.run(globals, terminal),
            Self::Edit(arguments) => arguments.run(globals, terminal),
            Self::Explain(arguments) => arguments.run(globals, terminal),
            Self::Get(arguments) => arguments.run(globals, terminal),
            Self::Preview(arguments) => arguments.run(globals, terminal),
            Self::Render(arguments) => arguments.run(globals, terminal),
            Self::Set(arguments) => arguments.run(globals, terminal),
            Self::Version(arguments) => arguments.run(terminal),
        }
    }
}

/// Runs what waits for the network. There is one runtime for the whole process, so that a connection can be used again.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = if let Some(runtime) = RUNTIME.get() {
        runtime
    } else {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        RUNTIME.get_or_init(|| runtime)
    };
    runtime.block_on(work)
}
