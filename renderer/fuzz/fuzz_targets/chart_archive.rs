#![cfg_attr(fuzzing, no_main)]
//! See [`renderer_fuzz::chart_archive`].

renderer_fuzz::fuzz_target!(chart_archive);
