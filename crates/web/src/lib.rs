//! Pages, headers, forms and cookies.
