#![cfg_attr(fuzzing, no_main)]
//! See [`renderer_fuzz::set_argument`].

renderer_fuzz::fuzz_target!(set_argument);
