//! The definition that an attribute makes of a function: what tools, resources and prompts have in common.

use crate::function::Function;
use crate::options::{Options, some_or_none};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Ident, Result};

/// How clients know a function.
pub(crate) struct Definition {
    name: TokenStream,
    title: TokenStream,
    description: TokenStream,
}

impl Definition {
    /// Takes the options `name`, `title` and `description`. Without them, the name and the doc comment are the function's.
    ///
    /// # Errors
    ///
    /// If an option has no value.
    pub(crate) fn take(options: &mut Options, function: &Function) -> Result<Self> {
        let name = match options.value("name")? {
            Some(name) => quote!(#name),
            None => {
                let name = function.name();
                quote!(#name)
            }
        };
        let title = options.optional("title")?;
        let description = match options.value("description")? {
            Some(description) => some_or_none(Some(description)),
            None => some_or_none(function.description.as_ref()),
        };
        Ok(Self {
            name,
            title,
            description,
        })
    }

    /// Returns the function, the marker of its name, and the implementation of the trait `kind`, whose definition has
    /// these `fields` too. Beside that stand the `items` that the fields need.
    pub(crate) fn expand(
        &self,
        function: &Function,
        kind: &str,
        items: &TokenStream,
        fields: &TokenStream,
    ) -> TokenStream {
        let Self {
            name,
            title,
            description,
        } = self;
        let private = quote!(::gatehouse_sdk::__private);
        let definition = Ident::new(&format!("{kind}Definition"), Span::call_site());
        let kind = Ident::new(kind, Span::call_site());
        let marker = function.marker();
        let (item, ident) = (&function.item, &function.item.sig.ident);
        quote! {
            #item

            #marker

            const _: () = {
                #items

                impl #private::#kind for #ident {
                    const DEFINITION: #private::#definition = #private::#definition {
                        name: #name,
                        title: #title,
                        description: #description,
                        #fields
                    };
                }
            };
        }
    }
}

/// Takes the flag `credential`: whether a call gets the person's token. Without it, the arguments say so.
pub(crate) fn wants_credential(options: &mut Options, function: &Function) -> TokenStream {
    options.flag("credential").unwrap_or_else(|| {
        let wants = function.wants_credential();
        quote!(#wants)
    })
}
