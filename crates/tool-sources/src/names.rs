//! Names of tools and prompts that are unique over all components.

use std::collections::HashMap;

/// The name of an item at its component, and for clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The index of the component.
    pub(crate) source: usize,
    /// The name at the component.
    pub(crate) original: String,
    /// The name for clients.
    pub(crate) public: String,
}

/// Returns the names for clients of all items: as they are, and with the id of their component before them where two
/// components offer one name, or where a name is another one with an id before it. `ids` are the components' ids, which
/// have no underscore, so that two components never make one name.
pub(crate) fn unique(ids: &[&str], items: Vec<(usize, String)>) -> Vec<Named> {
    let bare = |(source, original): (usize, String)| Named {
        source,
        public: original.clone(),
        original,
    };
    let mut names: Vec<Named> = items.into_iter().map(bare).collect();
    loop {
        let mut uses = HashMap::<_, u32>::new();
        for named in &names {
            *uses.entry(named.public.clone()).or_default() += 1;
        }
        let mut is_changed = false;
        for named in &mut names {
            let is_bare = named.public == named.original;
            if is_bare && uses[&named.public] > 1 {
                named.public = format!("{}_{}", ids[named.source], named.original);
                is_changed = true;
            }
        }
        if !is_changed {
            return names;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(items: &[(usize, &str)]) -> Vec<String> {
        let ids = ["composed", "weather", "crm"];
        let items = items
            .iter()
            .map(|(source, name)| (*source, (*name).to_owned()));
        let names = unique(&ids, items.collect());
        names.into_iter().map(|named| named.public).collect()
    }

    #[test]
    fn a_name_that_two_components_offer_has_their_ids_before_it() {
        assert_eq!(public(&[(0, "add"), (1, "forecast")]), ["add", "forecast"]);
        assert_eq!(
            public(&[(1, "find"), (2, "find"), (2, "other")]),
            ["weather_find", "crm_find", "other"]
        );
    }

    #[test]
    fn a_name_cannot_take_the_one_that_another_component_is_given() {
        assert_eq!(
            public(&[(1, "find"), (2, "find"), (2, "weather_find")]),
            ["weather_find", "crm_find", "crm_weather_find"]
        );
        assert_eq!(
            public(&[(0, "crm_find"), (1, "find"), (2, "find")]),
            ["composed_crm_find", "weather_find", "crm_find"]
        );
    }
}
