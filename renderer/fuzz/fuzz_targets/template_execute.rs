#![cfg_attr(fuzzing, no_main)]
//! See [`renderer_fuzz::template_execute`].

renderer_fuzz::fuzz_target!(template_execute);
