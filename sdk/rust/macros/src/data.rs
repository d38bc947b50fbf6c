//! `#[data]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Error, Ident, Result};

pub(crate) fn expand(options: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let direction = (!options.is_empty())
        .then(|| syn::parse2::<Ident>(options))
        .transpose()?;
    let (reads, writes) = match &direction {
        None => (true, true),
        Some(input) if input == "input" => (true, false),
        Some(output) if output == "output" => (false, true),
        Some(other) => return Err(Error::new(other.span(), "there is `input` and `output`")),
    };
    let private = quote!(::gatehouse_sdk::__private);
    let deserialize = reads.then(|| quote!(#private::serde::Deserialize,));
    let serialize = writes.then(|| quote!(#private::serde::Serialize,));
    Ok(quote! {
        #[derive(#deserialize #serialize #private::schemars::JsonSchema)]
        #[serde(crate = "::gatehouse_sdk::__private::serde")]
        #[schemars(crate = "::gatehouse_sdk::__private::schemars")]
        #item
    })
}
