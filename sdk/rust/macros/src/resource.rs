//! `#[resource]`.

use crate::definition::{Definition, wants_credential};
use crate::function::Function;
use crate::options::{Options, literal};
use crate::prompt::completer;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Error, ItemFn, Result};

pub(crate) fn expand(mut options: Options, item: ItemFn) -> Result<TokenStream> {
    let function = Function::read(item)?;
    function.refuse_reports("a resource")?;
    if let Some(whole) = function.whole() {
        return Err(Error::new_spanned(
            whole,
            "a resource has the variables of its URI",
        ));
    }
    let Some(uri) = options.value("uri")? else {
        return Err(Error::new(
            Span::call_site(),
            r#"a resource has a URI: `uri = "..."`"#,
        ));
    };
    let (text, span) = literal(&uri)?;
    let variables = variables(&text).map_err(|message| Error::new(span, message))?;
    for value in function.values() {
        if !variables.contains(&value.name.as_str()) {
            let message = format!("the URI has no variable {{{}}}", value.name);
            return Err(Error::new(value.ident.span(), message));
        }
    }
    let definition = Definition::take(&mut options, &function)?;
    let mime_type = options.optional("mime_type")?;
    let ttl = options.optional("ttl")?;
    let shared = options.flag("shared").unwrap_or_else(|| quote!(false));
    let icons = options.list("icons")?;
    let meta = options.optional("meta")?;
    let wants_credential = wants_credential(&mut options, &function);
    options.end()?;

    let private = quote!(::gatehouse_sdk::__private);
    let is_template = !variables.is_empty();
    let completed = function.values().map(|value| {
        let (name, complete) = (&value.name, completer(value));
        quote!((#name, #complete))
    });
    let read = function.values().map(|value| {
        let (ident, name, ty) = (&value.ident, &value.name, &value.ty);
        quote!(let #ident = #private::variable::<#ty>(&__variables, #name)?;)
    });
    let success = function.success(true);
    let call = function.call(true);
    let fields = quote! {
        uri: #uri,
        is_template: #is_template,
        icons: #icons,
        mime_type: #mime_type,
        ttl: #ttl,
        shared: #shared,
        wants_credential: #wants_credential,
        complete: &[#(#completed),*],
        meta: #meta,
        read: |__variables, __context| ::std::boxed::Box::pin(async move {
            #(#read)*
            <#success as #private::IntoContents>::into_contents(#call)
        }),
    };
    Ok(definition.expand(&function, "Resource", &quote!(), &fields))
}

/// Returns the names of the variables of a URI template (RFC 6570): `{name}` and `{+name}`.
fn variables(uri: &str) -> std::result::Result<Vec<&str>, &'static str> {
    let mut variables = Vec::new();
    let mut rest = uri;
    while let Some((_, after)) = rest.split_once('{') {
        let Some((expression, after)) = after.split_once('}') else {
            return Err("a `{` without its `}`");
        };
        let name = expression.strip_prefix('+').unwrap_or(expression);
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return Err("of RFC 6570, `{name}` and `{+name}` are understood");
        }
        variables.push(name);
        rest = after;
    }
    Ok(variables)
}
