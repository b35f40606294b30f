//! The configuration file. Its values become the defaults of the flags, so that flags and the environment override them,
//! and `--help` shows them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::{Command, Parser};
use toml::Value;

use super::Config;

/// The file that is read where none is named.
const DEFAULT_FILE: &str = "docket.toml";

/// The settings alone, to check the file's values.
#[derive(Parser)]
#[command(no_binary_name = true)]
struct Settings {
    #[command(flatten)]
    config: Config,
}

/// The command with the file's values as defaults.
pub(crate) fn with_file(command: Command, args: impl Iterator<Item = OsString>) -> anyhow::Result<Command> {
    // a usage error, or `--help`, is for the real parse
    let named = command.clone().ignore_errors(true).try_get_matches_from(args);
    let named = named.ok().and_then(|matches| matches.get_one::<PathBuf>("config").cloned());
    let path = match named {
        Some(path) => path,
        None if Path::new(DEFAULT_FILE).exists() => DEFAULT_FILE.into(),
        None => return Ok(command),
    };
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("the configuration file {} can't be read", path.display()))?;
    apply(command, &text).with_context(|| format!("the configuration file {} is wrong", path.display()))
}

fn apply(mut command: Command, text: &str) -> anyhow::Result<Command> {
    let table: toml::Table =
        text.parse().map_err(|error: toml::de::Error| anyhow!("{}", error.to_string().trim_end()))?;
    for (name, value) in table {
        let Some(flag) = command.get_arguments().find(|it| name != "config" && key(it) == Some(name.clone())) else {
            bail!("unknown setting {name:?}");
        };
        let id = flag.get_id().clone();
        let values = texts(&value).ok_or_else(|| anyhow!("{name} has a value of a wrong type"))?;
        check(&name, &values)?;
        command = command.mut_arg(id, |flag| flag.default_values(values));
    }
    Ok(command)
}

/// The key of a setting in the file: its flag in `snake_case`.
fn key(flag: &clap::Arg) -> Option<String> {
    flag.is_global_set().then(|| flag.get_long().map(|long| long.replace('-', "_"))).flatten()
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(number) => Some(vec![number.to_string()]),
        Value::Boolean(is) => Some(vec![is.to_string()]),
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(texts).collect();
            Some(items?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

fn check(name: &str, values: &[String]) -> anyhow::Result<()> {
    let argument = format!("--{}={}", name.replace('_', "-"), values.join(","));
    match Settings::try_parse_from([argument]) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            bail!("{}", text.lines().next().unwrap_or_default().trim_start_matches("error: "))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;
    use crate::config::Component;

    fn parsed(file: &str, args: &[&str]) -> Config {
        let command = apply(<Settings as clap::CommandFactory>::command(), file).unwrap();
        Settings::from_arg_matches(&command.get_matches_from(args)).unwrap().config
    }

    #[test]
    fn flags_override_the_file_and_the_file_overrides_defaults() {
        let file =
            "reopen_days = 3\nlisten = '127.0.0.1:1'\nroles = ['api', 'relay']\nmigrate = false\nrate_limit = 'off'";
        let config = parsed(file, &["--listen", "127.0.0.1:2"]);
        assert_eq!((config.listen.port(), config.reopen_days, config.receipt_hours), (2, 3, 48));
        assert_eq!(config.components, [Component::Api, Component::Relay]);
        assert_eq!((config.migrate, config.rate_limit.0), (false, None));
        let config = parsed("", &[]);
        assert_eq!(config.components, [Component::Api, Component::Projector, Component::Relay, Component::Timers]);
    }

    #[test]
    fn faults_of_the_file_are_errors() {
        for (file, fault) in [
            ("reopen_day = 3", "unknown setting \"reopen_day\""),
            ("config = 'other.toml'", "unknown setting \"config\""),
            ("reopen_days = 'three'", "invalid value 'three' for '--reopen-days <DAYS>'"),
            ("roles = ['web']", "invalid value 'web' for '--roles <COMPONENTS>'"),
            ("reopen_days = 1.5", "reopen_days has a value of a wrong type"),
            ("reopen_days", "line 1"),
        ] {
            let error = apply(<Settings as clap::CommandFactory>::command(), file).unwrap_err();
            assert!(format!("{error:#}").contains(fault), "{file}: {error:#}");
        }
    }
}
