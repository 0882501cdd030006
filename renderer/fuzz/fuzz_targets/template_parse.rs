#![cfg_attr(fuzzing, no_main)]
//! See [`renderer_fuzz::template_parse`].

renderer_fuzz::fuzz_target!(template_parse);
