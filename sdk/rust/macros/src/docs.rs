//! Doc comments as descriptions.

use syn::{Attribute, Expr, Lit, Meta};

/// Returns the text of the doc comments: lines of a paragraph are joined, but for those of lists and code.
pub(crate) fn text(attributes: &[Attribute]) -> Option<String> {
    let mut text = String::new();
    let mut in_code = false;
    let mut joins = false;
    for line in attributes.iter().filter_map(line) {
        let line = line.strip_prefix(' ').unwrap_or(&line).trim_end();
        let is_fence = line.trim_start().starts_with("```");
        if line.is_empty() && !in_code {
            joins = false;
            if !text.is_empty() {
                text.push('\n');
            }
            continue;
        }
        let stands_alone = in_code || is_fence || line.starts_with(['-', '*', '#', '|', ' ']);
        if joins && !stands_alone {
            text.push(' ');
        } else if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
        in_code ^= is_fence;
        joins = !in_code && !is_fence;
    }
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn line(attribute: &Attribute) -> Option<String> {
    if let Meta::NameValue(meta) = &attribute.meta
        && meta.path.is_ident("doc")
        && let Expr::Lit(literal) = &meta.value
        && let Lit::Str(text) = &literal.lit
    {
        return Some(text.value());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::text;
    use syn::{ItemFn, parse_quote};

    #[test]
    fn the_lines_of_a_paragraph_are_joined_and_lists_are_kept() {
        let function: ItemFn = parse_quote! {
            /// Finds a place,
            /// by its name:
            ///
            /// - towns
            /// - rivers
            fn find() {}
        };
        let expected = "Finds a place, by its name:\n\n- towns\n- rivers";
        assert_eq!(text(&function.attrs).as_deref(), Some(expected));
    }

    #[test]
    fn nothing_is_said_without_a_doc_comment() {
        let function: ItemFn = parse_quote!(
            #[inline]
            fn find() {}
        );
        assert_eq!(text(&function.attrs), None);
    }
}
