//! Names and hosts that imitate those that people trust.
//!
//! Anybody can give an app any name, and register a host that looks like another one. The rules here
//! are few, so that a page can say in words what it found:
//!
//! 1. A text is brought into the form in which letters that look alike are one letter: those of
//!    other scripts, accents, digits for letters, `I` and `l`, `rn` and `m`. If that makes it a known
//!    name, it imitates the name.
//! 2. An app with a known name whose answers go to a web host that is not its maker's imitates it. A
//!    program on the person's own machine may have any name: nothing tells the true one.
//! 3. A host that is no known host, but has a known host in front (`claude.ai.example`), or a known
//!    name as a part (`claude-login.example`, `c1aude.example`), imitates it.
//! 4. A name that mixes Latin letters with look-alikes of another script is disguised, whatever it
//!    says.

use crate::redirect_uri::Destination;

/// An app that many people know.
struct Known {
    name: &'static str,
    /// What else it is called, in the form that [`skeleton`] gives.
    also: &'static [&'static str],
    /// Where its maker's hosts are.
    domains: &'static [&'static str],
}

/// The first is the name that pages say.
const KNOWN: &[Known] = &[
    Known {
        name: "Claude",
        also: &["anthropic"],
        domains: &["claude.ai", "claude.com", "anthropic.com"],
    },
    Known {
        name: "ChatGPT",
        also: &["openai"],
        domains: &["chatgpt.com", "openai.com"],
    },
    Known {
        name: "Cursor",
        also: &[],
        domains: &["cursor.com", "cursor.sh"],
    },
    Known {
        name: "VS Code",
        also: &["visual studio code", "vscode", "github copilot"],
        domains: &[
            "vscode.dev",
            "visualstudio.com",
            "microsoft.com",
            "github.com",
        ],
    },
    Known {
        name: "Gemini",
        also: &["google"],
        domains: &["google.com", "withgoogle.com"],
    },
];

/// What is odd about a client. Each is a sentence for the person, without markup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Oddity {
    /// The name is a known one, and the answers go elsewhere.
    #[error(
        "It calls itself {known}, but its answers go to {host}, which is none of the addresses of {known} that this server knows."
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

/// What is odd about a client that calls itself `name` and whose answers go to `destination`.
/// `identified_by` is the host of its identifier, where that is a URL; `own_host` is ours.
pub fn oddities(
    name: &str,
    destination: &Destination,
    identified_by: Option<&str>,
    own_host: &str,
) -> Vec<Oddity> {
    let mut found = Vec::new();
    let answers_to = match destination {
        Destination::Host(host) => Some(without_port(host)),
        Destination::Loopback(_) | Destination::App(_) => None,
    };
    if let Some(oddity) = odd_name(name, answers_to, own_host) {
        found.push(oddity);
    }
    for host in answers_to
        .into_iter()
        .chain(identified_by.map(without_port))
    {
        if let Some(oddity) = odd_host(host, own_host)
            && !found.contains(&oddity)
        {
            found.push(oddity);
        }
    }
    found
}

fn odd_name(name: &str, answers_to: Option<&str>, own_host: &str) -> Option<Oddity> {
    let plain = words(&name.to_lowercase());
    let seen = words(&skeleton(name));
    let is_visible = !name.chars().any(is_invisible);
    for known in KNOWN {
        let names = || std::iter::once(known.name).chain(known.also.iter().copied());
        let honest =
            is_visible && names().any(|known| has_words(&plain, &words(&known.to_lowercase())));
        let looks = names().any(|known| has_words(&seen, &words(&skeleton(known))));
        if honest {
            let theirs = answers_to.is_none_or(|host| known.domains.iter().any(|d| is_in(host, d)));
            if !theirs {
                return Some(Oddity::Name {
                    known: known.name.to_owned(),
                    host: answers_to.unwrap_or_default().to_owned(),
                });
            }
        } else if looks {
            return Some(Oddity::Disguised(known.name.to_owned()));
        }
    }
    let own = skeleton(own_host);
    if own.contains('.') && skeleton(name).contains(&own) && answers_to != Some(own_host) {
        return Some(Oddity::Disguised(own_host.to_owned()));
    }
    let latin = name.chars().any(|char| char.is_ascii_alphabetic());
    let alike = name.chars().any(|char| !char.is_ascii() && is_alike(char));
    (latin && alike).then_some(Oddity::MixedScripts)
}

fn odd_host(host: &str, own_host: &str) -> Option<Oddity> {
    let is_known = |domain: &str| is_in(host, domain);
    if is_known(own_host) || KNOWN.iter().any(|k| k.domains.iter().any(|d| is_known(d))) {
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
    for known in KNOWN {
        let name = skeleton(known.name).replace(' ', "");
        let part = seen.split(['.', '-']).any(|part| part == name);
        if part || known.domains.iter().any(|d| poses_as(&seen, &skeleton(d))) {
            return imitates(known.name);
        }
    }
    if own_host.contains('.') && poses_as(&seen, &skeleton(own_host)) {
        return imitates(own_host);
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

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((before, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => before,
        _ => host,
    }
}

/// A label of a host as a person would see it written (RFC 5890 section 2.3.2.1).
fn decoded(label: &str) -> String {
    label
        .strip_prefix("xn--")
        .and_then(idna::punycode::decode_to_string)
        .filter(|decoded| !decoded.is_empty())
        .unwrap_or_else(|| label.to_owned())
}

/// The words of a text that was already brought to lower case.
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

/// The text with letters that look alike made one.
fn skeleton(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars().filter(|char| !is_invisible(*char)) {
        match alike(char) {
            Some(letter) => plain.push(letter),
            None => plain.extend(char.to_lowercase().map(|char| alike(char).unwrap_or(char))),
        }
    }
    plain.replace("rn", "m").replace("vv", "w")
}

fn is_invisible(char: char) -> bool {
    matches!(char, '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Whether a character is a letter of another script, or a form of a letter, that looks Latin.
fn is_alike(char: char) -> bool {
    matches!(char, '\u{370}'..='\u{5ff}' | '\u{13a0}'..='\u{13ff}' | '\u{ff21}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d6a3}')
        && alike(char).is_some()
}

/// The letter that a character looks like, if that is another one.
fn alike(char: char) -> Option<char> {
    // The Latin letters that Unicode has again: full width, and mathematical in thirteen styles.
    let styled = match char {
        '\u{ff21}'..='\u{ff3a}' => Some(u32::from(char) - 0xff21),
        '\u{ff41}'..='\u{ff5a}' => Some(u32::from(char) - 0xff41),
        '\u{1d400}'..='\u{1d6a3}' => Some((u32::from(char) - 0x1d400) % 26),
        _ => None,
    };
    if let Some(letter) = styled.and_then(|offset| char::from_u32(u32::from('a') + offset)) {
        return Some(alike(letter).unwrap_or(letter));
    }
    Some(match char {
        '0' | 'ο' | 'Ο' | 'о' | 'О' | 'օ' | 'ö' | 'ó' | 'ò' | 'ô' | 'õ' | 'ø' | 'ō' | 'σ' => {
            'o'
        }
        '1' | 'i' | 'I' | 'L' | '|' | '!' | 'і' | 'І' | 'ӏ' | 'Ӏ' | 'ι' | 'Ι' | 'í' | 'ì' | 'î'
        | 'ï' | 'ı' | 'ł' | 'ī' | 'ĺ' | 'ļ' | 'ľ' => 'l',
        '3' | 'е' | 'Е' | 'є' | 'ε' | 'Ε' | 'é' | 'è' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ҽ' => {
            'e'
        }
        '5' | 'ѕ' | 'Ѕ' | 'ś' | 'š' | 'ş' | 'ș' | '$' => 's',
        'а' | 'А' | 'α' | 'Α' | 'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ā' | 'ą' | 'ɑ' | '@' => {
            'a'
        }
        'в' | 'В' | 'β' | 'Β' | 'ь' => 'b',
        'с' | 'С' | 'ϲ' | 'ç' | 'ć' | 'č' | 'ċ' => 'c',
        'ԁ' | 'ď' | 'đ' | 'ɗ' => 'd',
        'ɡ' | 'ց' | 'ğ' | 'ġ' | 'ģ' => 'g',
        'һ' | 'Н' | 'н' | 'Η' | 'հ' => 'h',
        'ј' | 'Ј' => 'j',
        'к' | 'К' | 'κ' | 'Κ' | 'ķ' => 'k',
        'м' | 'М' | 'Μ' => 'm',
        'Ν' | 'ո' | 'ñ' | 'ń' | 'ň' | 'ņ' | 'п' | 'η' => 'n',
        'р' | 'Р' | 'ρ' | 'Ρ' => 'p',
        'ԛ' => 'q',
        'г' | 'ŕ' | 'ř' => 'r',
        'т' | 'Т' | 'τ' | 'Τ' | 'ť' | 'ț' | 'ţ' => 't',
        'υ' | 'ս' | 'ü' | 'ú' | 'ù' | 'û' | 'ū' | 'ů' => 'u',
        'ν' | 'ѵ' => 'v',
        'ԝ' | 'ω' => 'w',
        'х' | 'Х' | 'χ' | 'Χ' => 'x',
        'у' | 'У' | 'γ' | 'Υ' | 'ý' | 'ÿ' => 'y',
        'Ζ' | 'ž' | 'ź' | 'ż' => 'z',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "mcp.gatehouse.example";

    fn web(name: &str, host: &str) -> Vec<String> {
        let destination = Destination::Host(host.to_owned());
        texts(oddities(name, &destination, None, OWN))
    }

    fn local(name: &str) -> Vec<String> {
        let destination = Destination::Loopback("127.0.0.1".into());
        texts(oddities(name, &destination, None, OWN))
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
            "mcp.gatehouse.examp1e",
        ] {
            assert!(local(name)[0].contains("looks like"), "{name}");
            assert!(!web(name, "a.example").is_empty(), "{name}");
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
            "mcp.gatehouse.example.evil.example",
            "mcp-gatehouse-example.evil.example",
            "mcp.gateh0use.example",
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
    fn a_host_beyond_ascii_is_shown_as_it_would_be_written() {
        assert_eq!(
            web("Notes", "xn--bcher-kva.example"),
            ["The address bücher.example has letters in it that can be mistaken for others."]
        );
        assert_eq!(web("Notes", "xn--.example"), [""; 0]);
    }

    #[test]
    fn the_host_of_an_identifier_counts_as_well() {
        let destination = Destination::Loopback("localhost".into());
        let found = oddities("Notes", &destination, Some("claude.ai.evil.example"), OWN);
        assert_eq!(found.len(), 1);
    }
}
