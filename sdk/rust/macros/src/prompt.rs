//! `#[prompt]`, and what texts as arguments have in common.

use crate::definition::Definition;
use crate::function::{Function, Value};
use crate::options::{Options, some_or_none};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, ItemFn, Result};

pub(crate) fn expand(mut options: Options, item: ItemFn) -> Result<TokenStream> {
    let function = Function::read(item)?;
    function.refuse_reports("a prompt")?;
    if let Some(whole) = function.whole() {
        return Err(Error::new_spanned(
            whole,
            "a prompt has its arguments one by one",
        ));
    }
    let definition = Definition::take(&mut options, &function)?;
    let scopes = options.optional_list("scopes")?;
    let icons = options.list("icons")?;
    let meta = options.optional("meta")?;
    options.end()?;

    let private = quote!(::gatehouse_sdk::__private);
    let arguments = function.values().map(|value| {
        let name = &value.name;
        let description = some_or_none(value.description());
        let required = value.optional().is_none();
        let complete = completer(value);
        quote! {
            #private::PromptArgumentDefinition {
                name: #name,
                description: #description,
                required: #required,
                complete: #complete,
            }
        }
    });
    let read = function.values().map(|value| {
        let (ident, name, ty) = (&value.ident, &value.name, &value.ty);
        match value.optional() {
            Some(ty) => quote!(let #ident = #private::optional_text::<#ty>(&__arguments, #name)?;),
            None => quote!(let #ident = #private::text::<#ty>(&__arguments, #name)?;),
        }
    });
    let success = function.success(false);
    let call = function.call(false);
    let fields = quote! {
        icons: #icons,
        arguments: &[#(#arguments),*],
        scopes: #scopes,
        meta: #meta,
        get: |__arguments, __context| ::std::boxed::Box::pin(async move {
            #(#read)*
            ::core::result::Result::Ok(
                <#success as #private::IntoMessages>::into_messages(#call),
            )
        }),
    };
    Ok(definition.expand(&function, "Prompt", &quote!(), &fields))
}

/// Returns what completes an argument, as an expression of the type `Option<Completer>`.
pub(crate) fn completer(value: &Value) -> TokenStream {
    let private = quote!(::gatehouse_sdk::__private);
    let complete = value.complete.as_ref().map(|source| {
        quote! {
            |__completion| ::std::boxed::Box::pin(#private::Complete::complete(#source, __completion))
        }
    });
    some_or_none(complete)
}
