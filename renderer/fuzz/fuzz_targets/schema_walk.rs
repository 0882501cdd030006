#![cfg_attr(fuzzing, no_main)]
//! See [`renderer_fuzz::schema_walk`].

renderer_fuzz::fuzz_target!(schema_walk);
