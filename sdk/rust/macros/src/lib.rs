//! The attributes of `gatehouse-sdk`, which documents them.

mod data;
mod definition;
mod docs;
mod function;
mod options;
mod prompt;
mod resource;
mod server;
mod tool;

use proc_macro::TokenStream;
use syn::{ItemFn, parse_macro_input};

/// Makes a function a tool.
///
/// Its name is the function's, its description the doc comment, its input schema comes from the arguments (their doc
/// comments describe them), and its output schema from the result. The function itself stays as it is.
///
/// | option | meaning |
/// | --- | --- |
/// | `name = "..."` | another name than the function's |
/// | `title = "..."` | a name for people |
/// | `description = "..."` | instead of the doc comment |
/// | `scopes = ["..."]` | the scopes without which a call is refused; without it, those of the server |
/// | `read_only`, `destructive`, `idempotent`, `open_world` | hints for clients; also `= false` |
/// | `credential` | `Context` has the person's token; an argument of the type `Credential` asks for it by itself |
/// | `task = "optional"`, `"required"` | a call may, or must, become a task |
/// | `ignore_unknown` | arguments that the schema does not name are ignored; without it, they are refused |
/// | `icons = [Icon::new("https://...")]` | icons |
/// | `meta = r#"{...}"#` | the `_meta` object |
/// | `input_schema = "..."`, `output_schema = "..."` | instead of what the types give |
#[proc_macro_attribute]
pub fn tool(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options as options::Options);
    let function = parse_macro_input!(item as ItemFn);
    finish(tool::expand(options, function))
}

/// Makes a function a resource, or the resources of a URI template.
///
/// Where the URI has variables (`"units:{kind}"`), each is an argument of that name. The function returns a `String`,
/// a `Vec<u8>`, or anything that is serialized as JSON; also in an `Option`, whose `None` is "not found".
///
/// | option | meaning |
/// | --- | --- |
/// | `uri = "..."` | the URI, or an RFC 6570 template with `{variable}` and `{+variable}` |
/// | `name`, `title`, `description`, `icons`, `meta` | as of a tool |
/// | `mime_type = "..."` | the type; without it, what the result gives |
/// | `ttl = 3600`, `shared` | for how many seconds the contents may be kept, and whether they are the same for every caller |
/// | `credential` | as of a tool |
///
/// `#[complete(...)]` on an argument completes it: a list, or a function of what was typed.
#[proc_macro_attribute]
pub fn resource(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options as options::Options);
    let function = parse_macro_input!(item as ItemFn);
    finish(resource::expand(options, function))
}

/// Makes a function a prompt.
///
/// Its arguments are texts: `String`, or anything that has `FromStr`; an `Option` may be left out. It returns a
/// `String` (what the user says), a `Message`, or a `Vec<Message>`.
///
/// The options are `name`, `title`, `description`, `scopes`, `icons`, `meta`, as of a tool. `#[complete(...)]` on an
/// argument completes it: a list, or a function of what was typed.
#[proc_macro_attribute]
pub fn prompt(options: TokenStream, item: TokenStream) -> TokenStream {
    let options = parse_macro_input!(options as options::Options);
    let function = parse_macro_input!(item as ItemFn);
    finish(prompt::expand(options, function))
}

/// Derives `Serialize`, `Deserialize` and `JsonSchema`, for what tools take and give: `serde` and `schemars` need not
/// be dependencies. `#[data(input)]` leaves `Serialize` out, `#[data(output)]` leaves `Deserialize` out.
#[proc_macro_attribute]
pub fn data(options: TokenStream, item: TokenStream) -> TokenStream {
    finish(data::expand(options.into(), item.into()))
}

/// Says who the server is and what it offers, makes the static `SERVER`, and exports the component.
///
/// ```ignore
/// gatehouse_sdk::server! {
///     name: "units",
///     title: "Units of measurement",
///     tools: [convert, convert_many],
///     resources: [all, of_kind],
///     prompts: [explain],
/// }
/// ```
///
/// All of it may be left out: `name`, `version` and `description` are those of the crate then. There is also `website`,
/// `icons`, `instructions`; `scopes: ["..."]`, those of the tools and prompts that name none, `tools` unless this says
/// otherwise; `resource_scopes`, without which no resource is listed or read, the same unless this says otherwise; and
/// `changes: [tools, prompts, resources, resource_contents]`, what may be reported with `Changes`.
#[proc_macro]
pub fn server(input: TokenStream) -> TokenStream {
    let server = parse_macro_input!(input as server::Server);
    finish(server::expand(server))
}

fn finish(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded
        .unwrap_or_else(|error| error.into_compile_error())
        .into()
}
