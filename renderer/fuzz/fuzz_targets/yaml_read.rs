#![cfg_attr(fuzzing, no_main)]
//! See [`renderer_fuzz::yaml_read`].

renderer_fuzz::fuzz_target!(yaml_read);
