//! Commands in the documentation, read as `cargo xtask` reads them.

use super::sources;
use crate::Arguments;
use clap::Parser;
use clap::error::ErrorKind;

const COMMAND: &str = "cargo xtask";

/// Returns the commands of a page, each with whether it stands in a block of code.
fn commands(page: &str) -> Vec<(String, bool)> {
    let mut commands = Vec::new();
    for (number, part) in page.split("```").enumerate() {
        if number % 2 == 1 {
            let joined = part.replace("\\\n", " ");
            let lines = joined.lines().map(|line| line.split(" # ").next().unwrap());
            commands.extend(lines.filter_map(command).map(|command| (command, true)));
        } else {
            let spans = part.split('`').skip(1).step_by(2);
            commands.extend(spans.filter_map(command).map(|command| (command, false)));
        }
    }
    commands
}

/// Returns the command in a line, without what stands before it and after it.
fn command(line: &str) -> Option<String> {
    let (_, arguments) = line.split_once(COMMAND)?;
    let arguments = arguments.split([')', '&', ';']).next()?;
    let words = COMMAND.split(' ').chain(arguments.split_whitespace());
    Some(words.collect::<Vec<_>>().join(" "))
}

/// Returns the commands that one with alternatives (`a|b`) and placeholders stands for.
fn meant(command: &str) -> Vec<Vec<String>> {
    let is_deployment = command.contains(" deploy ");
    let mut meant = vec![Vec::new()];
    for word in command.split(' ') {
        let words: Vec<&str> = match word {
            "HOST" | "FLAVOUR" if is_deployment => vec!["akamai"],
            "HOST" | "FLAVOUR" => vec!["portable"],
            "ADDRESS" => vec!["127.0.0.1:3000"],
            _ => word.split('|').collect(),
        };
        meant = words
            .iter()
            .flat_map(|word| {
                meant.iter().map(|before: &Vec<String>| {
                    let word = word.trim_start_matches('[').trim_end_matches(']');
                    [before.as_slice(), &[word.to_owned()]].concat()
                })
            })
            .collect();
    }
    meant
}

/// Returns why a command is not one; `None` if it is. In prose it may lack what it needs.
fn fault(words: &[String], is_code: bool) -> Option<String> {
    // A mention of all commands.
    if words.len() == 2 {
        return None;
    }
    let error = Arguments::try_parse_from(&words[1..]).err()?;
    let is_incomplete = matches!(
        error.kind(),
        ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    (is_code || !is_incomplete).then(|| error.to_string())
}

#[test]
fn every_documented_command_is_one() {
    let mut count = 0;
    for page in sources(&["md"]) {
        for (command, is_code) in commands(&page.text) {
            for words in meant(&command) {
                count += 1;
                let fault = fault(&words, is_code);
                assert_eq!(fault, None, "{}: {command}", page.path);
            }
        }
    }
    assert!(count > 50, "{count}");
}

#[test]
fn a_command_that_is_none_is_named() {
    let page = "`cargo xtask deploy`, `cargo xtask\ntest --quik`\n```sh\nA=1 cargo xtask deploy # x\n```\n";
    let faults = commands(page).into_iter().map(|(command, is_code)| {
        let fault = fault(&meant(&command)[0], is_code);
        (command, fault.is_some())
    });
    let expected = [
        ("cargo xtask deploy", false),
        ("cargo xtask test --quik", true),
        ("cargo xtask deploy", true),
    ];
    let expected = expected.map(|(command, is_fault)| (command.to_owned(), is_fault));
    assert_eq!(faults.collect::<Vec<_>>(), expected);
}
