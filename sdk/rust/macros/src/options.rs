//! The options of an attribute: `name`, or `name = value`, with commas between them.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use std::fmt::Write as _;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, Result, Token};

/// Options that were not taken yet.
pub(crate) struct Options {
    given: Vec<(Ident, Option<Expr>)>,
    known: Vec<&'static str>,
}

struct Given(Ident, Option<Expr>);

impl Parse for Given {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.parse::<Option<Token![=]>>()?.is_some() {
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Self(name, value))
    }
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let given = Punctuated::<Given, Token![,]>::parse_terminated(input)?;
        Ok(Self {
            given: given
                .into_iter()
                .map(|Given(name, value)| (name, value))
                .collect(),
            known: Vec::new(),
        })
    }
}

impl Options {
    /// Takes the value of an option.
    ///
    /// # Errors
    ///
    /// If the option has none.
    pub(crate) fn value(&mut self, name: &'static str) -> Result<Option<Expr>> {
        match self.take(name) {
            Some((_, Some(value))) => Ok(Some(value)),
            Some((at, None)) => Err(Error::new(
                at.span(),
                format!("`{name}` has a value: `{name} = ...`"),
            )),
            None => Ok(None),
        }
    }

    /// Takes an option as an expression of the type `Option<_>`.
    ///
    /// # Errors
    ///
    /// If the option has no value.
    pub(crate) fn optional(&mut self, name: &'static str) -> Result<TokenStream> {
        Ok(some_or_none(self.value(name)?))
    }

    /// Takes a list of strings, or of whatever, as an expression of a slice.
    ///
    /// # Errors
    ///
    /// If the option has no value.
    pub(crate) fn list(&mut self, name: &'static str) -> Result<TokenStream> {
        Ok(match self.value(name)? {
            Some(Expr::Array(array)) => quote!(&#array),
            Some(expression) => quote!(#expression),
            None => quote!(&[]),
        })
    }

    /// Takes a list as an expression of the type `Option<&[_]>`.
    ///
    /// # Errors
    ///
    /// If the option has no value.
    pub(crate) fn optional_list(&mut self, name: &'static str) -> Result<TokenStream> {
        let list = self.value(name)?.map(|list| quote!(&#list));
        Ok(some_or_none(list))
    }

    /// Takes a flag: `name`, or `name = true` or `false`. `None` if it is not there.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<TokenStream> {
        let (_, value) = self.take(name)?;
        Some(value.map_or_else(|| quote!(true), |value| quote!(#value)))
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// If an option is left.
    pub(crate) fn end(self) -> Result<()> {
        let Some((name, _)) = self.given.first() else {
            return Ok(());
        };
        let mut text = format!("there is no option `{name}`, or it is given twice; there are");
        for (number, known) in self.known.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            let _ = write!(text, "{comma} `{known}`");
        }
        Err(Error::new(name.span(), text))
    }

    fn take(&mut self, name: &'static str) -> Option<(Ident, Option<Expr>)> {
        self.known.push(name);
        let position = self.given.iter().position(|(given, _)| given == name)?;
        Some(self.given.remove(position))
    }
}

/// Returns the expression in `Some`, or `None`.
pub(crate) fn some_or_none(value: Option<impl quote::ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// Returns the text of an expression that is a literal.
///
/// # Errors
///
/// If it is anything else.
pub(crate) fn literal(expression: &Expr) -> Result<(String, Span)> {
    if let Expr::Lit(literal) = expression
        && let syn::Lit::Str(text) = &literal.lit
    {
        return Ok((text.value(), text.span()));
    }
    Err(Error::new_spanned(expression, "a string literal is needed"))
}
