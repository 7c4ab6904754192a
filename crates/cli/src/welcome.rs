//! What a person reads at a terminal when the server starts: where it is, how to get in, and the first calls.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::administrator::Administrator;

const STRONG: Style = Style::new().bold();
const COMMAND: Style = AnsiColor::Green.on_default();

/// The facts of a start.
#[derive(Debug)]
pub(crate) struct Welcome<'a> {
    /// Where the server is.
    pub(crate) url: &'a str,
    /// Whether it serves the demo shop.
    pub(crate) demo: bool,
    /// Who can get in.
    pub(crate) entry: Entry<'a>,
}

/// Who can get in.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    /// The first administrator was made at this start.
    Made(&'a Administrator),
    /// Somebody who was there before.
    Known {
        /// Who administers the shop.
        email: &'a str,
        /// How this program is called on the command line, with the database.
        program: &'a str,
        /// The flag that names the database, with a space in front, where it is not the usual one.
        database: &'a str,
    },
}

impl Welcome<'_> {
    /// The text, with styles; `anstream` takes them out where they do not belong.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).unwrap_or_default();
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Self { url, demo, entry } = self;
        let what = if *demo { "the demo shop" } else { "your shop" };
        writeln!(text, "\nStheno serves {what} at {STRONG}{url}{STRONG:#}\n")?;
        match entry {
            Entry::Made(administrator) => write_made(text, url, administrator),
            Entry::Known { email, program, database } => {
                writeln!(text, "Everything is as you left it. For a new API token:\n")?;
                writeln!(text, "  {COMMAND}{program} user token --email {email}{database}{COMMAND:#}\n")
            }
        }
    }
}

fn write_made(text: &mut String, url: &str, administrator: &Administrator) -> std::fmt::Result {
    let chosen = "as you chose it";
    let password = administrator.password.to_tell();
    let api_token = administrator.api_token.to_tell();
    writeln!(text, "  Administrator  {STRONG}{}{STRONG:#}", administrator.email)?;
    writeln!(text, "  Password       {STRONG}{}{STRONG:#}", password.unwrap_or(chosen))?;
    writeln!(text, "  API token      {STRONG}{}{STRONG:#}\n", api_token.unwrap_or(chosen))?;
    if password.or(api_token).is_some() {
        writeln!(text, "Write this down now: it is shown only once.")?;
    }
    if let Some(api_token) = api_token {
        writeln!(text, "A first call, to paste into another terminal:\n")?;
        writeln!(
            text,
            "  {COMMAND}curl -H 'x-medusa-access-token: {api_token}' '{url}/admin/customer-groups?limit=3'{COMMAND:#}\n"
        )?;
        writeln!(text, "And one that creates a group:\n")?;
        writeln!(
            text,
            "  {COMMAND}curl -H 'x-medusa-access-token: {api_token}' -H 'content-type: application/json' \
             -d '{{\"name\":\"VIP\"}}' '{url}/admin/customer-groups'{COMMAND:#}\n"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Credential;

    fn shown(welcome: &Welcome<'_>) -> String {
        anstream::adapter::strip_str(&welcome.to_text()).to_string()
    }

    fn administrator(api_token: Credential) -> Administrator {
        Administrator {
            email: "admin@example.com".to_owned(),
            password: Credential::Made("k7rmq-x2vfn-9hdwt-3jpzc".parse().unwrap()),
            api_token,
        }
    }

    #[test]
    fn the_first_start_shows_the_way_in() {
        let administrator = administrator(Credential::Made("stheno_token".parse().unwrap()));
        let welcome =
            Welcome { url: "http://127.0.0.1:9000", demo: true, entry: Entry::Made(&administrator) };
        insta::assert_snapshot!(shown(&welcome));
    }

    #[test]
    fn what_was_chosen_is_not_shown() {
        let administrator = administrator(Credential::Chosen("a-chosen-api-token".parse().unwrap()));
        let welcome =
            Welcome { url: "http://127.0.0.1:9000", demo: false, entry: Entry::Made(&administrator) };
        insta::assert_snapshot!(shown(&welcome));
    }

    #[test]
    fn later_starts_show_how_to_get_a_token() {
        let welcome = Welcome {
            url: "http://127.0.0.1:9000",
            demo: true,
            entry: Entry::Known {
                email: "admin@example.com",
                program: "target/release/stheno",
                database: " --database sqlite:shop.db",
            },
        };
        insta::assert_snapshot!(shown(&welcome));
    }
}
