//! `#[tool]`.

use crate::definition::{Definition, wants_credential};
use crate::function::Function;
use crate::options::{Options, literal, some_or_none};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Expr, ItemFn, Result};

pub(crate) fn expand(mut options: Options, item: ItemFn) -> Result<TokenStream> {
    let function = Function::read(item)?;
    let definition = Definition::take(&mut options, &function)?;
    let scopes = options.optional_list("scopes")?;
    let [read_only, destructive, idempotent, open_world] =
        ["read_only", "destructive", "idempotent", "open_world"]
            .map(|hint| some_or_none(options.flag(hint)));
    let wants_credential = wants_credential(&mut options, &function);
    let tasks = match options.value("task")? {
        Some(task) => task_use(&task)?,
        None => quote!(Never),
    };
    let ignores_unknown = options.flag("ignore_unknown").is_some();
    let icons = options.list("icons")?;
    let meta = options.optional("meta")?;
    let input_schema = options.value("input_schema")?;
    let output_schema = options.value("output_schema")?;
    options.end()?;

    let private = quote!(::gatehouse_sdk::__private);
    let success = function.success(false);
    let (declared, arguments, bound) = arguments(&function, ignores_unknown);
    let input_schema = match input_schema {
        Some(schema) => quote!(|| ::std::string::String::from(#schema)),
        None => quote!(#private::input_schema::<#arguments>),
    };
    let output_schema = match output_schema {
        Some(schema) => {
            quote!(|| ::core::option::Option::Some(::std::string::String::from(#schema)))
        }
        None => quote!(<#success as #private::IntoOutput>::output_schema),
    };
    let call = function.call(false);
    let fields = quote! {
        icons: #icons,
        input_schema: #input_schema,
        output_schema: #output_schema,
        annotations: #private::ToolAnnotations {
            read_only: #read_only,
            destructive: #destructive,
            idempotent: #idempotent,
            open_world: #open_world,
        },
        scopes: #scopes,
        wants_credential: #wants_credential,
        tasks: #private::TaskUse::#tasks,
        meta: #meta,
        call: |__arguments, __context| ::std::boxed::Box::pin(async move {
            let __arguments = #private::read_arguments::<#arguments>(&__arguments)?;
            #bound
            <#success as #private::IntoOutput>::into_output(#call)
        }),
    };
    Ok(definition.expand(&function, "Tool", &declared, &fields))
}

/// Returns the declaration of the type of the arguments, the type, and what takes it apart.
fn arguments(
    function: &Function,
    ignores_unknown: bool,
) -> (TokenStream, TokenStream, TokenStream) {
    if let Some(whole) = function.whole() {
        return (quote!(), quote!(#whole), quote!());
    }
    let fields = function.values().map(|value| {
        let (ident, ty, attributes) = (&value.ident, &value.ty, &value.attributes);
        quote!(#(#attributes)* #ident: #ty)
    });
    let names = function.values().map(|value| &value.ident);
    let strict = (!ignores_unknown).then(|| quote!(#[serde(deny_unknown_fields)]));
    let declared = quote! {
        #[derive(
            ::gatehouse_sdk::__private::serde::Deserialize,
            ::gatehouse_sdk::__private::schemars::JsonSchema,
        )]
        #[serde(crate = "::gatehouse_sdk::__private::serde")]
        #[schemars(crate = "::gatehouse_sdk::__private::schemars")]
        #strict
        struct __Arguments { #(#fields),* }
    };
    let bound = quote!(let __Arguments { #(#names),* } = __arguments;);
    (declared, quote!(__Arguments), bound)
}

fn task_use(task: &Expr) -> Result<TokenStream> {
    let (text, span) = literal(task)?;
    match text.as_str() {
        "never" => Ok(quote!(Never)),
        "optional" => Ok(quote!(Optional)),
        "required" => Ok(quote!(Required)),
        _ => Err(Error::new(
            span,
            r#"a task is "never", "optional" or "required""#,
        )),
    }
}
