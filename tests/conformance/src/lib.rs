//! A tools component that offers what the server scenarios of the official conformance suite call
//! for, and `ten_steps` for the bench. It takes the place of `components/tools` by one line of the
//! manifest.
//!
//! The suite says by name what each tool, resource and prompt has to do; docs/conformance.md says
//! which scenarios there are. `test_trigger_resource_change`, `fetch`, `read_variable` and
//! `read_key` are for the black-box tests alone.

mod asking;
mod content;
mod fetching;
mod granted;
mod media;
mod prompts;
mod reporting;
mod resources;
mod tasks;

use asking::{
    test_elicitation, test_elicitation_sep1034_defaults, test_elicitation_sep1330_enums,
    test_input_required_result_capabilities, test_input_required_result_elicitation,
    test_input_required_result_list_roots, test_input_required_result_multi_round,
    test_input_required_result_multiple_inputs, test_input_required_result_request_state,
    test_input_required_result_sampling, test_input_required_result_tampered_state,
    test_missing_capability, test_sampling, test_streaming_elicitation,
};
use content::{
    json_schema_2020_12_tool, test_audio_content, test_embedded_resource, test_error_handling,
    test_header_parameter, test_image_content, test_multiple_content_types, test_simple_text,
};
use fetching::fetch;
use gatehouse_sdk::{Icon, server};
use granted::{read_key, read_variable};
use prompts::{
    test_input_required_result_prompt, test_prompt_with_arguments,
    test_prompt_with_embedded_resource, test_prompt_with_image, test_simple_prompt,
};
use reporting::{
    ten_steps, test_logging_tool, test_reconnection, test_tool_that_panics, test_tool_with_logging,
    test_tool_with_progress, test_trigger_prompt_change, test_trigger_resource_change,
    test_trigger_tool_change,
};
use resources::{static_binary, static_text, template, watched};
use tasks::{
    confirm_delete, failing_job, greet, multi_input, protocol_error_job, slow_compute,
    test_tool_with_task,
};

server! {
    name: "conformance",
    title: "Conformance fixtures",
    description: "What the official conformance suite calls for.",
    website: "https://example.com/conformance",
    icons: [Icon::new("https://example.com/icon.png").mime_type("image/png").sizes(&["48x48"])],
    scopes: [],
    instructions: "These tools test clients and servers, and do nothing.",
    tools: [
        test_simple_text, test_image_content, test_audio_content, test_embedded_resource,
        test_multiple_content_types, test_error_handling, json_schema_2020_12_tool, test_header_parameter,
        test_tool_with_progress, test_tool_with_logging, test_logging_tool, test_trigger_tool_change,
        test_trigger_prompt_change, test_trigger_resource_change, test_reconnection, test_tool_that_panics, ten_steps,
        test_sampling, test_elicitation, test_elicitation_sep1034_defaults, test_elicitation_sep1330_enums,
        test_missing_capability, test_streaming_elicitation, test_input_required_result_elicitation,
        test_input_required_result_sampling, test_input_required_result_list_roots,
        test_input_required_result_request_state, test_input_required_result_tampered_state,
        test_input_required_result_multiple_inputs, test_input_required_result_multi_round,
        test_input_required_result_capabilities,
        greet, slow_compute, failing_job, protocol_error_job, confirm_delete, multi_input, test_tool_with_task,
        fetch, read_variable, read_key,
    ],
    resources: [static_text, static_binary, watched, template],
    prompts: [
        test_simple_prompt, test_prompt_with_arguments, test_prompt_with_embedded_resource, test_prompt_with_image,
        test_input_required_result_prompt,
    ],
    changes: [tools, prompts, resources, resource_contents],
}
