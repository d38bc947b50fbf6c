//! Routes: the trigger of a path, and the headers about the match.

use std::borrow::Cow;

use crate::manifest::{Route, Trigger};

/// Paths under this prefix are the host's own.
pub(crate) const WELL_KNOWN: &str = "/.well-known/spin/";

/// The public routes of an application.
pub(crate) struct Router(routefinder::Router<Handler>);

struct Handler {
    trigger: usize,
    /// As written in the manifest, with a leading and without a trailing slash.
    based: String,
    /// As written in the manifest.
    raw: String,
}

/// A path that a route matched.
pub(crate) struct RouteMatch<'a> {
    /// Where the trigger stands in the manifest.
    pub(crate) trigger: usize,
    /// The route with a leading and without a trailing slash.
    pub(crate) based: &'a str,
    /// The route as written in the manifest.
    pub(crate) raw: &'a str,
    /// What the trailing `/...` stands for, from its slash on; empty where there is none.
    pub(crate) trailing: Cow<'a, str>,
    /// What the named segments stand for, by name.
    pub(crate) named: Vec<(String, String)>,
}

impl Router {
    /// Makes the router of an application's triggers. Of two equal routes, the later one counts.
    pub(crate) fn new(triggers: &[Trigger]) -> Result<Self, String> {
        let mut handlers: Vec<Handler> = Vec::new();
        for (index, trigger) in triggers.iter().enumerate() {
            let Route::Pattern(raw) = &trigger.route else {
                continue;
            };
            let handler = Handler {
                trigger: index,
                based: based(raw),
                raw: raw.clone(),
            };
            if let Some(earlier) = handlers.iter_mut().find(|earlier| earlier.raw == *raw) {
                tracing::warn!(
                    "route {raw:?} of trigger {:?} is taken over by trigger {:?}",
                    triggers[earlier.trigger].id,
                    trigger.id
                );
                *earlier = handler;
            } else {
                handlers.push(handler);
            }
            if based(raw).starts_with(WELL_KNOWN) {
                tracing::warn!(
                    "route {raw:?} is never reached: paths under {WELL_KNOWN} are the host's own"
                );
            }
        }
        let mut router = routefinder::Router::new();
        for handler in handlers {
            let pattern = match handler.based.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => handler.based.clone(),
            };
            let raw = handler.raw.clone();
            router
                .add(pattern, handler)
                .map_err(|error| format!("route {raw:?}: {error}"))?;
        }
        Ok(Self(router))
    }

    /// Finds the most specific route for a path.
    ///
    /// The slashes before a trailing wildcard are single ones: `//mcp` is not `/mcp`, although the router takes any number
    /// of slashes for one. A path may end in one more.
    pub(crate) fn find<'a>(&'a self, path: &'a str) -> Option<RouteMatch<'a>> {
        let mut matches = self.0.match_iter(path);
        let found = matches.find(|found| has_single_slashes(path, &found.handler().based))?;
        let captures = found.captures();
        let handler: &'a Handler = found.handler();
        Some(RouteMatch {
            trigger: handler.trigger,
            based: &handler.based,
            raw: &handler.raw,
            trailing: captures
                .wildcard()
                .map_or(Cow::Borrowed(""), |rest| trailing(rest, path)),
            named: captures
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        })
    }
}

impl<'a> RouteMatch<'a> {
    /// The match of a request that one component sends to another: as by a route that takes every path.
    pub(crate) fn chained(trigger: usize, path: &'a str) -> Self {
        Self {
            trigger,
            based: "/...",
            raw: "/...",
            trailing: Cow::Borrowed(path),
            named: Vec::new(),
        }
    }

    /// The route as written in the manifest, without a trailing wildcard.
    pub(crate) fn raw_prefix(&self) -> &'a str {
        self.raw.strip_suffix("/...").unwrap_or(self.raw)
    }
}

/// Whether no segment of `path` that `route` says something about is empty.
fn has_single_slashes(path: &str, route: &str) -> bool {
    let (route, has_wildcard) = match route.strip_suffix("/...") {
        Some(route) => (route, true),
        None => (route, false),
    };
    let mut segments = path.split('/').skip(1);
    let segments_of_route = route.split('/').skip(1).count();
    let begins_alike = segments
        .by_ref()
        .take(segments_of_route)
        .all(|segment| !segment.is_empty());
    begins_alike
        && (has_wildcard || matches!((segments.next(), segments.next()), (None | Some(""), None)))
}

fn based(raw: &str) -> String {
    let path = if raw.starts_with('/') {
        raw.to_owned()
    } else {
        format!("/{raw}")
    };
    path.strip_suffix('/')
        .map_or_else(|| path.clone(), ToOwned::to_owned)
}

/// The router leaves slashes out of what a wildcard stands for; components are told of them.
fn trailing(rest: &str, path: &str) -> Cow<'static, str> {
    match (rest.is_empty(), path.ends_with('/')) {
        (true, false) => Cow::Borrowed(""),
        (true, true) => Cow::Borrowed("/"),
        (false, false) => Cow::Owned(format!("/{rest}")),
        (false, true) => Cow::Owned(format!("/{rest}/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Target;

    fn router(routes: &[&str]) -> Router {
        let triggers = routes.iter().map(|route| Trigger {
            id: (*route).to_owned(),
            route: Route::Pattern((*route).to_owned()),
            target: Target::Component("c".to_owned()),
        });
        Router::new(&triggers.collect::<Vec<_>>()).unwrap()
    }

    fn found(router: &Router, path: &str) -> Option<usize> {
        router.find(path).map(|found| found.trigger)
    }

    #[test]
    fn the_most_specific_route_wins() {
        let router = router(&["/...", "/a/...", "/a/:b", "/a/b", "/a/b/..."]);
        assert_eq!(found(&router, "/"), Some(0));
        assert_eq!(found(&router, "/z/y"), Some(0));
        assert_eq!(found(&router, "/a/x/y"), Some(1));
        assert_eq!(found(&router, "/a"), Some(1));
        assert_eq!(found(&router, "/a/x"), Some(2));
        assert_eq!(found(&router, "/a/b"), Some(3));
        assert_eq!(found(&router, "/a/b/c"), Some(4));
    }

    #[test]
    fn an_exact_route_matches_nothing_else() {
        let router = router(&["/a", "/b/:c"]);
        assert_eq!(found(&router, "/a"), Some(0));
        assert_eq!(found(&router, "/a/b"), None);
        assert_eq!(found(&router, "/b"), None);
        assert_eq!(found(&router, "/b/c/d"), None);
        assert_eq!(found(&router, "/A"), None);
    }

    #[test]
    fn several_slashes_are_not_one() {
        let router = router(&["/a/b", "/c/:d", "/e/...", "/"]);
        for (path, route) in [
            ("/a/b", Some(0)),
            ("/a/b/", Some(0)),
            ("//a/b", None),
            ("/a//b", None),
            ("/a/b//", None),
            ("/c/d/", Some(1)),
            ("//c/d", None),
            ("/c//d", None),
            ("/e//f", Some(2)),
            ("/e//", Some(2)),
            ("//e/f", None),
            ("/", Some(3)),
            ("//", None),
        ] {
            assert_eq!(found(&router, path), route, "{path}");
        }
        // A route that takes every path takes these too.
        assert_eq!(found(&self::router(&["/a", "/..."]), "//a"), Some(1));
    }

    #[test]
    fn the_wildcard_part_keeps_its_slashes() {
        let router = router(&["/a/..."]);
        for (path, rest) in [
            ("/a", ""),
            ("/a/", "/"),
            ("/a/b", "/b"),
            ("/a/b/c/", "/b/c/"),
        ] {
            assert_eq!(router.find(path).unwrap().trailing, rest, "{path}");
        }
    }

    #[test]
    fn named_segments_are_told() {
        let router = router(&["/u/:user/:thing/..."]);
        let found = router.find("/u/ada/book/1").unwrap();
        assert_eq!(
            found.named,
            [("user", "ada"), ("thing", "book")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(found.raw, "/u/:user/:thing/...");
        assert_eq!(found.raw_prefix(), "/u/:user/:thing");
        assert_eq!(found.trailing, "/1");
    }

    #[test]
    fn of_two_equal_routes_the_later_one_counts() {
        assert_eq!(found(&router(&["/a", "/a"]), "/a"), Some(1));
    }
}
