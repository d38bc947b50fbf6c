//! The report of checks: what is well, what should be known, and what has to be corrected first.

use anyhow::{Result, bail};
use std::io::{Write, stdout};

/// The findings so far, in the order in which they came.
#[derive(Default)]
pub struct Report {
    lines: Vec<String>,
    failed: usize,
}

impl Report {
    /// Adds what is well.
    pub fn good(&mut self, line: &str) {
        self.lines.push(format!("  ok    {line}"));
    }

    /// Adds what works, and should be known.
    pub fn warn(&mut self, line: &str) {
        self.lines.push(format!("  WARN  {line}"));
    }

    /// Adds what has to be corrected first.
    pub fn bad(&mut self, line: &str) {
        self.lines.push(format!("  MEND  {line}"));
        self.failed += 1;
    }

    /// Prints every finding.
    ///
    /// # Errors
    ///
    /// If something has to be corrected before `what` can work.
    pub fn print(&self, what: &str) -> Result<()> {
        self.write(&mut stdout(), what)
    }

    /// Writes every finding.
    ///
    /// # Errors
    ///
    /// As [`Report::print`], or if it cannot be written.
    pub(crate) fn write(&self, output: &mut dyn Write, what: &str) -> Result<()> {
        for line in &self.lines {
            writeln!(output, "{line}")?;
        }
        if self.failed > 0 {
            bail!("{} to mend before {what} can work", self.failed);
        }
        Ok(())
    }

    /// Returns every finding as it is printed.
    #[cfg(test)]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }
}
