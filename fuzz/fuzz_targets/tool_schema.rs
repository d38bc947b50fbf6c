#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| properties::tool_schema(data));
