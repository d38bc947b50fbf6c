//! Names and hosts that imitate those that people trust.
//!
//! Anybody can give an app any name, and register a host that looks like another one. The rules here
//! are few, so that a page can say in words what it found:
//!
//! 1. A text is brought into the form in which letters that look alike are one letter: through NFKC
//!    and the skeleton of UTS #39, without marks, and with digits for letters, `I` and `l`, `rn` and
//!    `m` made one. If that makes it a known name, it imitates the name. Known are apps that many
//!    people have, this server, and its identity provider.
//! 2. An app with a known name whose answers go to a web host that is not its maker's imitates it.
//!    The maker's are exact hosts, and some with a path: below a maker's domain there are often
//!    hosts and paths that anybody can have (`sites.google.com`, `github.com/<anybody>`). A program
//!    on the person's own machine may have any name: nothing tells the true one.
//! 3. A host that is no known host, but has a known host in front (`claude.ai.example`), or a known
//!    name as a part (`claude-login.example`, `c1aude.example`), imitates it.
//! 4. A name that mixes Latin letters with look-alikes of another script is disguised, whatever it
//!    says.

use crate::redirect_uri::{Destination, destination};
use crate::visible_text::is_invisible;
use url::Url;

/// An app or a service that many people know.
struct KnownApp<'a> {
    /// As pages say it.
    name: &'a str,
    /// What else it is called.
    also: &'a [&'a str],
    /// The domains that imitations have in them.
    domains: &'a [&'a str],
    /// The hosts, and paths below hosts, that only its maker controls.
    makers: &'a [&'a str],
}

const KNOWN: &[KnownApp<'static>] = &[
    KnownApp {
        name: "Claude",
        also: &["anthropic"],
        domains: &["claude.ai", "claude.com", "anthropic.com"],
        makers: &[
            "claude.ai",
            "claude.com",
            "www.claude.com",
            "platform.claude.com",
            "anthropic.com",
            "www.anthropic.com",
            "api.anthropic.com",
            "console.anthropic.com",
        ],
    },
    KnownApp {
        name: "ChatGPT",
        also: &["openai"],
        domains: &["chatgpt.com", "openai.com"],
        makers: &[
            "chatgpt.com",
            "www.chatgpt.com",
            "chat.openai.com",
            "platform.openai.com",
            "auth.openai.com",
            "openai.com",
            "www.openai.com",
        ],
    },
    KnownApp {
        name: "Cursor",
        also: &[],
        domains: &["cursor.com", "cursor.sh"],
        makers: &["cursor.com", "www.cursor.com", "api2.cursor.sh"],
    },
    KnownApp {
        name: "VS Code",
        also: &["visual studio code", "vscode", "github copilot"],
        domains: &[
            "vscode.dev",
            "visualstudio.com",
            "microsoft.com",
            "github.com",
        ],
        makers: &[
            "vscode.dev",
            "insiders.vscode.dev",
            "code.visualstudio.com",
            "github.com/copilot",
            "github.com/login",
        ],
    },
    KnownApp {
        name: "Gemini",
        also: &["google"],
        domains: &["google.com", "withgoogle.com"],
        makers: &[
            "gemini.google.com",
            "accounts.google.com",
            "aistudio.google.com",
            "vertexaisearch.cloud.google.com",
        ],
    },
    KnownApp {
        name: "Descope",
        also: &[],
        domains: &["descope.com"],
        makers: &["descope.com", "www.descope.com", "app.descope.com"],
    },
];

/// The name that every page of this server has at its top.
const OWN_NAME: &str = "Gatehouse";

/// Letters that a provider's name has at least to be looked for in other names.
const MIN_PROVIDER_NAME: usize = 3;

/// Which names and hosts are this server's own.
#[derive(Clone, Copy, Debug)]
pub struct Ours<'a> {
    /// The host of the server.
    pub host: &'a str,
    /// What the identity provider is called.
    pub provider: &'a str,
}

/// What is odd about a client. Each is a sentence for the person, without markup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// The name is a known one, and the answers go elsewhere.
    #[error(
        "It calls itself {known}, but its answers go to {host}, which is not one of the addresses of {known} that this server knows."
    )]
    Name {
        /// The known name.
        known: String,
        /// Where the answers go.
        host: String,
    },
    /// The name only looks like a known one.
    #[error("Its name is written so that it looks like {0}, and is not.")]
    Disguised(String),
    /// The name mixes scripts.
    #[error("Its name mixes letters of different alphabets that look alike.")]
    MixedScripts,
    /// The host looks like a known one, or has its name in it.
    #[error("The address {host} looks like one of {known}, and is not.")]
    Host {
        /// Whose hosts it imitates.
        known: String,
        /// The host.
        host: String,
    },
    /// The host is written in letters beyond ASCII.
    #[error("The address {0} has letters in it that can be mistaken for others.")]
    ForeignLetters(String),
}

/// Returns what is odd about a client that calls itself `name` and whose answers go to `redirect_uri`.
/// `client_url` is its identifier, where that is a URL.
pub fn oddities(
    name: &str,
    redirect_uri: &str,
    client_url: Option<&str>,
    ours: Ours<'_>,
) -> Vec<Oddity> {
    let answers_to = match destination(redirect_uri) {
        Destination::Host(_) => Url::parse(redirect_uri).ok(),
        Destination::Loopback(_) | Destination::App(_) => None,
    };
    let mut found: Vec<Oddity> = odd_name(name, answers_to.as_ref(), ours)
        .into_iter()
        .collect();
    let client_url = client_url.and_then(|url| Url::parse(url).ok());
    for url in answers_to.iter().chain(&client_url) {
        if let Some(oddity) = url.host_str().and_then(|host| odd_host(host, ours))
            && !found.contains(&oddity)
        {
            found.push(oddity);
        }
    }
    found
}

fn odd_name(name: &str, answers_to: Option<&Url>, ours: Ours<'_>) -> Option<Oddity> {
    let plain = words(&name.to_lowercase());
    let seen = words(&skeleton(name));
    let is_visible = !name.chars().any(is_invisible);
    let ours_alone = [ours.host];
    let own = KnownApp {
        name: OWN_NAME,
        also: &[],
        domains: &[],
        makers: &ours_alone,
    };
    let provider = KnownApp {
        name: ours.provider,
        ..own
    };
    let is_known = KNOWN.iter().any(|known| {
        known
            .names()
            .any(|name| name.eq_ignore_ascii_case(ours.provider))
    });
    let has_provider = !is_known && skeleton(ours.provider).chars().count() >= MIN_PROVIDER_NAME;
    let all = KNOWN
        .iter()
        .chain([&own])
        .chain(has_provider.then_some(&provider));
    for known in all {
        let honest = is_visible
            && known
                .names()
                .any(|known| has_words(&plain, &words(&known.to_lowercase())));
        let looks = known
            .names()
            .any(|known| has_words(&seen, &words(&skeleton(known))));
        if honest {
            if let Some(url) = answers_to.filter(|url| !known.made(url)) {
                return Some(Oddity::Name {
                    known: known.name.to_owned(),
                    host: known.shown(url),
                });
            }
        } else if looks {
            return Some(Oddity::Disguised(known.name.to_owned()));
        }
    }
    let own = skeleton(ours.host);
    let goes_to_us = answers_to.and_then(Url::host_str) == Some(ours.host);
    if own.contains('.') && skeleton(name).contains(&own) && !goes_to_us {
        return Some(Oddity::Disguised(ours.host.to_owned()));
    }
    let latin = name.chars().any(|char| char.is_ascii_alphabetic());
    (latin && name.chars().any(is_foreign_look_alike)).then_some(Oddity::MixedScripts)
}

impl KnownApp<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name).chain(self.also.iter().copied())
    }

    /// Whether only the maker controls what is at a URL.
    fn made(&self, url: &Url) -> bool {
        let Some(host) = url.host_str().filter(|_| url.port().is_none()) else {
            return false;
        };
        self.makers.iter().any(|maker| match maker.split_once('/') {
            None => *maker == host,
            Some((known, path)) => {
                let rest = url.path().strip_prefix('/').unwrap_or_default();
                let below = rest.strip_prefix(path);
                known == host
                    && below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
            }
        })
    }

    /// Returns the host of a URL that is not the maker's, and its path where that is what makes it so.
    fn shown(&self, url: &Url) -> String {
        let host = url.host_str().unwrap_or_default();
        let has_path = |maker: &&str| {
            maker
                .split_once('/')
                .is_some_and(|(known, _)| known == host)
        };
        if self.makers.iter().any(has_path) {
            format!("{host}{}", url.path())
        } else {
            host.to_owned()
        }
    }
}

fn odd_host(host: &str, ours: Ours<'_>) -> Option<Oddity> {
    // A provider may be called by its host.
    let own = [ours.host, ours.provider].map(str::to_ascii_lowercase);
    let own = || own.iter().filter(|own| own.contains('.'));
    if host == ours.host || own().any(|own| is_in(host, own)) {
        return None;
    }
    let shown: String = host.split('.').map(decoded).collect::<Vec<_>>().join(".");
    let seen = skeleton(&shown);
    let imitates = |known: &str| {
        Some(Oddity::Host {
            known: known.to_owned(),
            host: shown.clone(),
        })
    };
    // What is below a maker's domain does not look like it: it is.
    let is_below = |known: &KnownApp<'_>| known.domains.iter().any(|domain| is_in(host, domain));
    for known in KNOWN.iter().filter(|known| !is_below(known)) {
        let name = skeleton(known.name).replace(' ', "");
        let part = seen.split(['.', '-']).any(|part| part == name);
        if part || known.domains.iter().any(|d| poses_as(&seen, &skeleton(d))) {
            return imitates(known.name);
        }
    }
    if let Some(own) = own().find(|own| poses_as(&seen, &skeleton(own))) {
        return imitates(own);
    }
    (shown != host).then_some(Oddity::ForeignLetters(shown))
}

/// Whether a host that is not `domain` looks like it, or has it in front, whole or with hyphens.
fn poses_as(host: &str, domain: &str) -> bool {
    let hyphened = domain.replace('.', "-");
    is_in(host, domain)
        || host.starts_with(&format!("{domain}."))
        || host.contains(&format!(".{domain}."))
        || host.starts_with(&format!("{domain}-"))
        || host.split('.').any(|label| label.contains(&hyphened))
}

/// Whether a host is `domain` or below it.
fn is_in(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Returns a label of a host as a person would see it written (RFC 5890 section 2.3.2.1).
fn decoded(label: &str) -> String {
    label
        .strip_prefix("xn--")
        .and_then(idna::punycode::decode_to_string)
        .filter(|decoded| !decoded.is_empty())
        .unwrap_or_else(|| label.to_owned())
}

/// Returns the words of a text that was already brought to lower case.
fn words(text: &str) -> Vec<String> {
    text.split(|char: char| !char.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether the words stand in the text side by side, together or apart (`vs code`, `vscode`).
fn has_words(text: &[String], words: &[String]) -> bool {
    let wanted = words.concat();
    (0..text.len()).any(|start| {
        let mut joined = String::new();
        text[start..].iter().any(|word| {
            joined.push_str(word);
            joined == wanted
        })
    })
}

/// Returns the text with letters that look alike made one.
fn skeleton(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars().filter(|char| !is_invisible(*char)) {
        match look_alike(char) {
            Some(letters) => plain.push_str(letters),
            None => plain.extend(char.to_lowercase().map(folded)),
        }
    }
    plain.replace("rn", "m").replace("vv", "w")
}

/// Lower-case ASCII with what people take for one another made one.
fn folded(char: char) -> char {
    match char {
        '0' => 'o',
        '1' | 'i' | '|' | '!' => 'l',
        '3' => 'e',
        '5' | '$' => 's',
        '@' => 'a',
        other => other,
    }
}

/// Each line has ASCII letters, a space, and the characters beyond ASCII that look like them: by
/// NFKC and UTS #39. `tests/unicode_tables.rs` writes it and holds it against both.
const LOOK_ALIKES: &str = include_str!("look_alike/look_alikes.txt");

/// Returns the ASCII letters that a character beyond ASCII looks like.
fn look_alike(char: char) -> Option<&'static str> {
    if char.is_ascii() {
        return None;
    }
    LOOK_ALIKES
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(_, alike)| alike.contains(char))
        .map(|(letters, _)| letters)
}

/// Whether a character is of another script, or a form of a letter, that passes for Latin among
/// Latin letters: Greek, Cyrillic, Armenian, Cherokee, Coptic, Lisu and Deseret letters, small
/// capitals, Roman numerals, enclosed, full-width and mathematical letters. Scripts that do not look
/// Latin as a whole are left out, though UTS #39 has letters of theirs.
fn is_foreign_look_alike(char: char) -> bool {
    matches!(char,
        '\u{250}'..='\u{2af}' | '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}'
        | '\u{1c80}'..='\u{1c8f}' | '\u{1d00}'..='\u{1dbf}' | '\u{2160}'..='\u{2188}'
        | '\u{249c}'..='\u{24e9}' | '\u{2c80}'..='\u{2cff}' | '\u{a4d0}'..='\u{a4ff}'
        | '\u{a640}'..='\u{a69f}' | '\u{a730}'..='\u{a731}' | '\u{ab30}'..='\u{abbf}'
        | '\u{ff21}'..='\u{ff5a}' | '\u{10280}'..='\u{1044f}' | '\u{1d400}'..='\u{1d7cb}'
        | '\u{1f110}'..='\u{1f189}' | '\u{1f1e6}'..='\u{1f1ff}')
        && look_alike(char).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "mcp.harbour.example";

    const OURS: Ours<'_> = Ours {
        host: OWN,
        provider: "Harbour Login",
    };

    /// Returns what is odd where the answers go to a host, or to a path of one.
    fn web(name: &str, place: &str) -> Vec<String> {
        let uri = format!("https://{place}/cb");
        texts(oddities(name, &uri, None, OURS))
    }

    fn local(name: &str) -> Vec<String> {
        texts(oddities(name, "http://127.0.0.1/cb", None, OURS))
    }

    fn texts(oddities: Vec<Oddity>) -> Vec<String> {
        oddities.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_true_ones_are_nothing_to_warn_of() {
        for (name, host) in [
            ("Claude", "claude.ai"),
            ("ChatGPT", "chatgpt.com"),
            ("Cursor", "www.cursor.com"),
            ("Visual Studio Code", "vscode.dev"),
            ("Visual Studio Code", "insiders.vscode.dev:443"),
            ("Sommerhaus-Rechner", "app.example"),
            ("Précis curses", "cursory.example"),
            ("Заметки", "notes.example"),
            ("記事 Reader", "reader.example"),
            ("Claudette", "claudette.example"),
        ] {
            assert_eq!(web(name, host), [""; 0], "{name} at {host}");
        }
        for name in [
            "Claude Code (gatehouse)",
            "Visual Studio Code",
            "Cursor",
            "MCP Inspector",
        ] {
            assert_eq!(local(name), [""; 0], "{name}");
        }
    }

    #[test]
    fn a_known_name_whose_answers_go_elsewhere_is_warned_of() {
        for name in [
            "Claude",
            "claude",
            "Claude for Work",
            "Chat-GPT",
            "VS Code",
            "VSCode",
            "OpenAI Connector",
        ] {
            let warned = web(name, "evil.example");
            assert!(
                warned.len() == 1 && warned[0].contains("evil.example"),
                "{name}: {warned:?}"
            );
        }
    }

    #[test]
    fn a_name_that_only_looks_like_a_known_one_is_warned_of_wherever_its_answers_go() {
        for name in [
            "Сlaude",
            "CIaude",
            "C1aude",
            "Claudе",
            "Ｃｌａｕｄｅ",
            "𝐂𝐥𝐚𝐮𝐝𝐞",
            "Cláude",
            "Cla\u{200b}ude",
            "ChаtGРT",
            "Сursоr",
            "Сомрanу VЅ Соdе",
            "mcp.harbour.examp1e",
        ] {
            assert!(local(name)[0].contains("looks like"), "{name}");
            assert!(!web(name, "a.example").is_empty(), "{name}");
        }
    }

    #[test]
    fn imitations_from_anywhere_in_unicode_are_one_with_what_they_imitate() {
        for name in [
            // Cherokee, Coptic, small capitals, Roman numerals.
            "Ꮯlaude",
            "Ⲥlaude",
            "ᴄʟᴀᴜᴅᴇ",
            "Ⅽⅼauⅾe",
            "ᏟLAUDE",
            "ChatꮐᏢT",
            "ꮯursor",
            "ⲥursⲟr",
            "ᴄᴜʀꜱᴏʀ",
            "ⅽurѕor",
            // Enclosed: in circles, parentheses, squares, dark circles and squares, flags.
            "ⓒⓛⓐⓤⓓⓔ",
            "⒞⒧⒜⒰⒟⒠",
            "🄲🄻🄰🅄🄳🄴",
            "🅒🅛🅐🅤🅓🅔",
            "🅲🅻🅰🆄🅳🅴",
            "🇨🇱🇦🇺🇩🇪",
            "Ⓒursor",
            "ⒸⒽⒶⓉⒼⓅⓉ",
            // Superscripts, letterlike and mathematical ones, Lisu, Deseret, Armenian.
            "ᶜˡᵃᵘᵈᵉ",
            "ℂlaude",
            "𝒞𝓁𝒶𝓊𝒹ℯ",
            "ꓚꓡꓮꓴꓓꓰ",
            "𐐕ursor",
            "Cursօr",
            // With marks, on one letter or on each.
            "C\u{338}l\u{338}a\u{338}u\u{338}d\u{338}e\u{338}",
            "Claude\u{fe0e}",
            "Ｃ\u{301}laude",
            // Of this server and of its provider.
            "Gаtehouse",
            "ɢᴀᴛᴇʜᴏᴜꜱᴇ",
            "Ηarbour Login",
            "Harb0ur-L0gin",
            "Ⅾescope",
        ] {
            let warned = local(name);
            assert!(
                warned
                    .first()
                    .is_some_and(|text| text.contains("looks like")),
                "{name}: {warned:?}"
            );
        }
    }

    #[test]
    fn names_of_other_scripts_alone_or_beside_latin_words_are_nothing_to_warn_of() {
        for name in [
            "تطبيق Notes",
            "פנקס Notes",
            "메모 Notes",
            "メモ帳 Notes",
            "नोट्स Notes",
            "Ελληνικές σημειώσεις",
            "Ñandú Søk Łódź",
            "Notes™ ½ №1",
        ] {
            assert_eq!(local(name), [""; 0], "{name}");
        }
    }

    #[test]
    fn a_makers_are_exact_hosts_and_paths_and_nothing_that_anybody_can_have() {
        for (name, place) in [
            ("Gemini", "script.google.com"),
            ("Gemini", "sites.google.com"),
            ("VS Code", "attacker.visualstudio.com"),
            ("VS Code", "github.com/attacker"),
            ("GitHub Copilot", "github.com/copilot-attacker"),
            ("GitHub Copilot", "github.com/copilot/../attacker"),
            ("Claude", "attacker.claude.ai"),
            ("Claude", "claude.ai:8443"),
            ("Gatehouse", "evil.example"),
            ("Gatehouse", "gatehouse.evil.example"),
            ("Harbour Login", "evil.example"),
            ("Descope", "evil.descope.com"),
        ] {
            let warned = web(name, place);
            assert!(
                warned
                    .iter()
                    .any(|text| text.contains("not one of the addresses")),
                "{name} at {place}: {warned:?}"
            );
        }
        assert!(web("VS Code", "github.com/attacker")[0].contains("github.com/attacker/cb"));
        for (name, place) in [
            ("GitHub Copilot", "github.com/copilot/oauth"),
            ("Gemini", "vertexaisearch.cloud.google.com"),
            ("Gatehouse", OWN),
            ("Harbour Login", OWN),
            ("Descope", "app.descope.com"),
            ("Notes", "sites.google.com"),
        ] {
            assert_eq!(web(name, place), [""; 0], "{name} at {place}");
        }
    }

    #[test]
    fn a_name_of_mixed_alphabets_is_warned_of_whatever_it_says() {
        assert!(local("Pаypal")[0].contains("mixes letters"));
        assert!(local("Ρaypal")[0].contains("mixes letters"));
    }

    #[test]
    fn a_host_that_imitates_a_known_one_or_ours_is_warned_of() {
        for host in [
            "claude.ai.evil.example",
            "login.claude.ai.evil.example",
            "claude-ai.example",
            "claude-login.example",
            "claude.example",
            "c1aude.ai",
            "xn--laude-0ye.ai",
            "chatgpt.com-login.example",
            "mcp.harbour.example.evil.example",
            "mcp-harbour-example.evil.example",
            "mcp.harb0ur.example",
        ] {
            assert!(
                web("Notes", host)
                    .iter()
                    .any(|text| text.contains("and is not")),
                "{host}: {:?}",
                web("Notes", host)
            );
        }
        assert_eq!(web("Notes", OWN), [""; 0]);
    }

    #[test]
    fn a_host_that_imitates_the_identity_providers_is_warned_of() {
        let ours = Ours {
            host: OWN,
            provider: "login.harbour.example",
        };
        let odd = |host: &str| oddities("Notes", &format!("https://{host}/cb"), None, ours);
        for host in [
            "login.harb0ur.example",
            "login-harbour-example.evil.example",
        ] {
            assert!(matches!(odd(host)[..], [Oddity::Host { .. }]), "{host}");
        }
        assert_eq!(odd("login.harbour.example"), []);
        let named = oddities("login.harbour.example", "https://evil.example/", None, ours);
        assert!(matches!(named[..], [Oddity::Name { .. }]), "{named:?}");
    }

    #[test]
    fn a_host_beyond_ascii_is_shown_as_it_would_be_written() {
        assert_eq!(
            web("Notes", "xn--bcher-kva.example"),
            ["The address bücher.example has letters in it that can be mistaken for others."]
        );
        assert_eq!(web("Notes", "xn--.example"), [""; 0]);
    }

    #[test]
    fn the_host_of_an_identifier_counts_as_well() {
        let client_url = Some("https://claude.ai.evil.example/client.json");
        let found = oddities("Notes", "http://localhost/cb", client_url, OURS);
        assert_eq!(found.len(), 1);
    }
}
