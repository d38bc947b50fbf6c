//! `server!`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprArray, Ident, Result, Token};

/// The fields of `server!`.
pub(crate) struct Server(Vec<(Ident, Expr)>);

struct Field(Ident, Expr);

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok(Self(name, input.parse()?))
    }
}

impl Parse for Server {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let fields = Punctuated::<Field, Token![,]>::parse_terminated(input)?;
        Ok(Self(
            fields
                .into_iter()
                .map(|Field(name, value)| (name, value))
                .collect(),
        ))
    }
}

impl Server {
    fn take(&mut self, name: &str) -> Option<Expr> {
        let position = self.0.iter().position(|(given, _)| given == name)?;
        Some(self.0.remove(position).1)
    }

    fn list(&mut self, name: &str) -> Result<Vec<Expr>> {
        match self.take(name) {
            Some(Expr::Array(ExprArray { elems, .. })) => Ok(elems.into_iter().collect()),
            Some(other) => Err(Error::new_spanned(
                other,
                format!("`{name}` is a list: `[...]`"),
            )),
            None => Ok(Vec::new()),
        }
    }
}

pub(crate) fn expand(mut server: Server) -> Result<TokenStream> {
    let private = quote!(::gatehouse_sdk::__private);
    let mut text = |name: &str, otherwise: TokenStream| match server.take(name) {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => otherwise,
    };
    let none = quote!(::core::option::Option::None);
    let name = text(
        "name",
        quote!(::core::option::Option::Some(env!("CARGO_PKG_NAME"))),
    );
    let version = text(
        "version",
        quote!(::core::option::Option::Some(env!("CARGO_PKG_VERSION"))),
    );
    let description = text(
        "description",
        quote!(#private::non_empty(env!("CARGO_PKG_DESCRIPTION"))),
    );
    let title = text("title", none.clone());
    let website = text("website", none.clone());
    let instructions = text("instructions", none);
    let icons = server.list("icons")?;
    let tools = server.list("tools")?;
    let resources = server.list("resources")?;
    let prompts = server.list("prompts")?;
    let scopes = match server.take("scopes") {
        Some(scopes) => quote!(&#scopes),
        None => quote!(&["tools"]),
    };
    let resource_scopes = match server.take("resource_scopes") {
        Some(scopes) => quote!(::core::option::Option::Some(&#scopes)),
        None => quote!(::core::option::Option::None),
    };
    let mut changes = [false; 4];
    for change in server.list("changes")? {
        let known = ["tools", "prompts", "resources", "resource_contents"];
        let is = |known: &&str| matches!(&change, Expr::Path(path) if path.path.is_ident(known));
        let Some(position) = known.iter().position(is) else {
            let message = "there are `tools`, `prompts`, `resources` and `resource_contents`";
            return Err(Error::new_spanned(change, message));
        };
        changes[position] = true;
    }
    let [
        tools_change,
        prompts_change,
        resources_change,
        contents_change,
    ] = changes;
    if let Some((unknown, _)) = server.0.first() {
        let message = "there are `name`, `title`, `version`, `description`, `website`, `icons`, `instructions`, \
                       `tools`, `resources`, `prompts`, `scopes`, `resource_scopes` and `changes`, each once";
        return Err(Error::new(unknown.span(), message));
    }
    Ok(quote! {
        /// The server of this crate. `gatehouse_sdk::testing::TestClient` calls it.
        pub static SERVER: ::gatehouse_sdk::Server = ::gatehouse_sdk::Server {
            name: #private::required(#name),
            title: #title,
            version: #private::required(#version),
            description: #description,
            icons: &[#(#icons),*],
            website: #website,
            instructions: #instructions,
            tools: &[#(<#tools as #private::Tool>::DEFINITION),*],
            resources: &[#(<#resources as #private::Resource>::DEFINITION),*],
            scopes: #scopes,
            resource_scopes: #resource_scopes,
            prompts: &[#(<#prompts as #private::Prompt>::DEFINITION),*],
            changes: #private::AnnouncedChanges {
                tools: #tools_change,
                prompts: #prompts_change,
                resources: #resources_change,
                resource_contents: #contents_change,
            },
        };

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct __Gatehouse;

            impl #private::Exported for __Gatehouse {
                fn server() -> &'static ::gatehouse_sdk::Server {
                    &SERVER
                }
            }

            type __Component = #private::Component<__Gatehouse>;
            ::gatehouse_sdk::__private::export!(__Component with_types_in ::gatehouse_sdk::__private::bindings);
        };
    })
}
