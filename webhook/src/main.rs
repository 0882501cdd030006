//! The admission webhook and controller for Modules.

use anyhow::Result;
use clap::Parser;

fn main() -> Result<()> {
    module_webhook::run(module_webhook::Arguments::parse())
}
