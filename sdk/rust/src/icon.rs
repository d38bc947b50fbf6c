//! Icons.

use crate::bindings::contract::{self, Theme};

/// An icon for people to see.
#[derive(Clone, Copy, Debug)]
pub struct Icon {
    src: &'static str,
    mime_type: Option<&'static str>,
    sizes: &'static [&'static str],
    theme: Option<Theme>,
}

impl Icon {
    /// Makes an icon of an `https:` or `data:` URI.
    pub const fn new(src: &'static str) -> Self {
        Self {
            src,
            mime_type: None,
            sizes: &[],
            theme: None,
        }
    }

    /// With its type, such as `image/png`.
    pub const fn mime_type(mut self, mime_type: &'static str) -> Self {
        self.mime_type = Some(mime_type);
        self
    }

    /// With its sizes, such as `48x48`, or `any`.
    pub const fn sizes(mut self, sizes: &'static [&'static str]) -> Self {
        self.sizes = sizes;
        self
    }

    /// With the background that it is made for.
    pub const fn theme(mut self, theme: Theme) -> Self {
        self.theme = Some(theme);
        self
    }

    pub(crate) fn all(icons: &[Self]) -> Vec<contract::Icon> {
        let icons = icons.iter().map(|icon| contract::Icon {
            src: icon.src.to_owned(),
            mime_type: icon.mime_type.map(str::to_owned),
            sizes: icon.sizes.iter().map(|&size| size.to_owned()).collect(),
            theme: icon.theme,
        });
        icons.collect()
    }
}
