//! The admission webhook and controller for Modules.

use anyhow::Result;
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<()> {
    module_webhook::run(module_webhook::Arguments::parse())
}
