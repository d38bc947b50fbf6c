//! The function under an attribute, with the arguments that the caller gives and those that the SDK gives.

use crate::docs;
use crate::options::literal;
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, FnArg, GenericArgument, Ident, ItemFn, Meta, Pat, PathArguments,
    Result, ReturnType, Token, Type,
};

/// A function with its attribute.
pub(crate) struct Function {
    /// Without the attributes of the arguments, which Rust does not know.
    pub(crate) item: ItemFn,
    pub(crate) description: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
}

/// An argument.
pub(crate) enum Parameter {
    /// What the SDK gives: who calls, progress and the like.
    FromContext { ty: Type, by_ref: bool },
    /// All arguments, in one struct: `Arguments<T>`.
    Whole { ty: Type },
    /// An argument of the schema.
    Value(Box<Value>),
}

/// An argument that the caller gives.
pub(crate) struct Value {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    /// The type that is read; `String` for `&str`.
    pub(crate) ty: Type,
    by_ref: bool,
    /// Doc comments, and what serde and schemars understand.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) complete: Option<Expr>,
}

impl Value {
    pub(crate) fn description(&self) -> Option<String> {
        docs::text(&self.attributes)
    }

    /// Returns the type in the `Option`, if the argument may be left out.
    pub(crate) fn optional(&self) -> Option<&Type> {
        generic(&self.ty, "Option")
    }
}

impl Function {
    pub(crate) fn read(mut item: ItemFn) -> Result<Self> {
        let signature = &item.sig;
        if !signature.generics.params.is_empty() {
            let message = "a function with generic parameters has no schema";
            return Err(Error::new(signature.generics.span(), message));
        }
        let description = docs::text(&item.attrs);
        let inputs = item.sig.inputs.iter_mut();
        let parameters = inputs.map(parameter).collect::<Result<Vec<_>>>()?;
        let whole = |parameter: &&Parameter| matches!(parameter, Parameter::Whole { .. });
        let values = parameters
            .iter()
            .filter(|parameter| matches!(parameter, Parameter::Value(_)));
        let wholes = parameters.iter().filter(whole).count();
        if wholes > 1 || (wholes == 1 && values.count() > 0) {
            let message = "`Arguments` has all arguments: there can be no others beside it";
            return Err(Error::new(item.sig.inputs.span(), message));
        }
        Ok(Self {
            item,
            description,
            parameters,
        })
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        self.parameters
            .iter()
            .filter_map(|parameter| match parameter {
                Parameter::Value(value) => Some(&**value),
                _ => None,
            })
    }

    /// Returns the type of the only `Arguments<T>`, if there is one.
    pub(crate) fn whole(&self) -> Option<&Type> {
        self.parameters
            .iter()
            .find_map(|parameter| match parameter {
                Parameter::Whole { ty } => Some(ty),
                _ => None,
            })
    }

    /// Returns whether an argument is the person's token.
    pub(crate) fn wants_credential(&self) -> bool {
        self.parameters.iter().any(|parameter| match parameter {
            Parameter::FromContext { ty, .. } => {
                is(ty, "Credential") || generic(ty, "Option").is_some()
            }
            _ => false,
        })
    }

    /// Fails if the function takes what only tools can have.
    pub(crate) fn refuse_reports(&self, what: &str) -> Result<()> {
        for parameter in &self.parameters {
            if let Parameter::FromContext { ty, .. } = parameter
                && ["Progress", "Log", "Changes"]
                    .iter()
                    .any(|name| is(ty, name))
            {
                let message = format!("{what} answers at once: only a tool can report on the way");
                return Err(Error::new_spanned(ty, message));
            }
        }
        Ok(())
    }

    /// Returns the type that the function gives: that in a `Result`, if it returns one, and there that in an `Option`
    /// if `unwraps_option`.
    pub(crate) fn success(&self, unwraps_option: bool) -> TokenStream {
        let ReturnType::Type(_, returned) = &self.item.sig.output else {
            return quote!(());
        };
        let success = generic(returned, "Result").unwrap_or(returned);
        let option = generic(success, "Option").filter(|_| unwraps_option);
        let success = option.unwrap_or(success);
        quote!(#success)
    }

    /// Returns the call of the function in an `async` block whose result is `Result<success, Error>`. There, the
    /// values are variables of their names, all arguments together are `__arguments`, and the context is `__context`.
    pub(crate) fn call(&self, unwraps_option: bool) -> TokenStream {
        let name = &self.item.sig.ident;
        let given = self.parameters.iter().map(|parameter| match parameter {
            Parameter::FromContext { ty, by_ref } => {
                let and = by_ref.then(|| quote!(&));
                quote!(#and <#ty as ::gatehouse_sdk::__private::FromContext>::from_context(&__context)?)
            }
            Parameter::Whole { .. } => quote!(::gatehouse_sdk::Arguments(__arguments)),
            Parameter::Value(value) => {
                let (ident, and) = (&value.ident, value.by_ref.then(|| quote!(&)));
                quote!(#and #ident)
            }
        });
        let wait = self.item.sig.asyncness.map(|_| quote!(.await));
        let mut call = quote!(#name(#(#given),*) #wait);
        let mut returned = match &self.item.sig.output {
            ReturnType::Type(_, returned) => Some(&**returned),
            ReturnType::Default => None,
        };
        if let Some(success) = returned.and_then(|returned| generic(returned, "Result")) {
            call = quote!(#call.map_err(::gatehouse_sdk::Error::from_display)?);
            returned = Some(success);
        }
        if unwraps_option && returned.is_some_and(|returned| generic(returned, "Option").is_some())
        {
            call = quote!(#call.ok_or(::gatehouse_sdk::Error::NotFound)?);
        }
        call
    }

    /// Returns the marker type that the function's name stands for in `server!`. Functions and types have names of
    /// their own, so it has the function's.
    pub(crate) fn marker(&self) -> TokenStream {
        let (visibility, name) = (&self.item.vis, &self.item.sig.ident);
        quote! {
            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            #visibility struct #name {}
        }
    }

    pub(crate) fn name(&self) -> String {
        self.item.sig.ident.unraw().to_string()
    }
}

fn parameter(argument: &mut FnArg) -> Result<Parameter> {
    let FnArg::Typed(argument) = argument else {
        return Err(Error::new(
            argument.span(),
            "a method cannot be called: make it a function",
        ));
    };
    let mut attributes = Vec::new();
    let mut complete = None;
    let mut kept = Vec::new();
    for attribute in std::mem::take(&mut argument.attrs) {
        let path = attribute.path();
        if path.is_ident("complete") {
            complete = Some(attribute.parse_args::<Expr>()?);
        } else if ["doc", "serde", "schemars"]
            .iter()
            .any(|name| path.is_ident(name))
        {
            attributes.push(attribute);
        } else {
            kept.push(attribute);
        }
    }
    argument.attrs = kept;

    let (ty, by_ref) = match &*argument.ty {
        Type::Reference(reference) if reference.mutability.is_none() => (&*reference.elem, true),
        ty => (ty, false),
    };
    let from_context = [
        "Caller",
        "Changes",
        "Client",
        "Context",
        "Credential",
        "Log",
        "Progress",
    ];
    let is_credential = generic(ty, "Option").is_some_and(|ty| is(ty, "Credential"));
    if is_credential || from_context.iter().any(|name| is(ty, name)) {
        let ty = ty.clone();
        return Ok(Parameter::FromContext { ty, by_ref });
    }
    if let Some(ty) = generic(ty, "Arguments") {
        return Ok(Parameter::Whole { ty: ty.clone() });
    }
    let Pat::Ident(pattern) = &*argument.pat else {
        let message = "an argument of the schema needs a name";
        return Err(Error::new(argument.pat.span(), message));
    };
    let ty = match ty {
        ty if !by_ref => ty.clone(),
        ty if is(ty, "str") => syn::parse_quote!(::std::string::String),
        ty => ty.clone(),
    };
    let name = pattern.ident.unraw().to_string();
    let variable = name.trim_start_matches('_');
    let span = pattern.ident.span();
    let ident = match syn::parse_str::<Ident>(variable) {
        Ok(_) => Ident::new(variable, span),
        Err(_) if variable.is_empty() => {
            return Err(Error::new(span, "an argument of the schema needs a name"));
        }
        Err(_) => Ident::new_raw(variable, span),
    };
    let name = renamed(&attributes)?.unwrap_or_else(|| variable.to_owned());
    Ok(Parameter::Value(Box::new(Value {
        ident,
        name,
        ty,
        by_ref,
        attributes,
        complete,
    })))
}

/// Returns the name in `#[serde(rename = "...")]`.
fn renamed(attributes: &[Attribute]) -> Result<Option<String>> {
    let mut name = None;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
    {
        let options = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?;
        for option in options {
            if let Meta::NameValue(option) = option
                && option.path.is_ident("rename")
            {
                name = Some(literal(&option.value)?.0);
            }
        }
    }
    Ok(name)
}

/// Whether the last part of the type's path has this name.
fn is(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// Returns the first parameter of a type of this name.
fn generic<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}
