#![cfg_attr(fuzzing, no_main)]
//! See [`renderer_fuzz::yaml_write`].

renderer_fuzz::fuzz_target!(yaml_write);
