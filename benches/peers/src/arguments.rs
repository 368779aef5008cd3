//! The command line: a command, words and `--name value` pairs.

use anyhow::{Context, Result, bail};
use std::str::FromStr;

#[derive(Debug)]
pub struct Arguments {
    pub words: Vec<String>,
    options: Vec<(String, String)>,
}

impl Arguments {
    /// Reads what follows the program's name; `known` are the options that there are.
    pub fn read(mut arguments: impl Iterator<Item = String>, known: &[&str]) -> Result<Arguments> {
        let (mut words, mut options) = (Vec::new(), Vec::new());
        while let Some(argument) = arguments.next() {
            match argument.strip_prefix("--") {
                None => words.push(argument),
                Some(name) if known.contains(&name) => {
                    let value = arguments.next().with_context(|| format!("--{name} needs a value"))?;
                    options.push((name.to_owned(), value));
                }
                Some(name) => bail!("no option --{name}; there are --{}", known.join(", --")),
            }
        }
        Ok(Arguments { words, options })
    }

    pub fn get<T: FromStr>(&self, name: &str) -> Result<Option<T>> {
        let Some((_, value)) = self.options.iter().rev().find(|(option, _)| option == name) else {
            return Ok(None);
        };
        value.parse().map(Some).map_err(|_| anyhow::anyhow!("--{name} cannot be `{value}`"))
    }

    /// Nothing but one option, if it is there.
    pub fn only(&self, name: &str) -> Arguments {
        let options = self.options.iter().filter(|(option, _)| option == name).cloned().collect();
        Arguments { words: Vec::new(), options }
    }

    /// The parts of a comma-separated option, or all of `usual`; each must be one of `usual`.
    pub fn list(&self, name: &str, usual: &[&'static str]) -> Result<Vec<&'static str>> {
        let Some(list) = self.get::<String>(name)? else { return Ok(usual.to_vec()) };
        list.split(',')
            .map(|part| {
                let known = usual.iter().find(|&&word| word == part);
                known
                    .copied()
                    .with_context(|| format!("--{name}: no `{part}`; there are {}", usual.join(", ")))
            })
            .collect()
    }
}
