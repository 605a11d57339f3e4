//! `cutover assign`: who does what, for repositories and for the session.

use super::Exit;
use super::context::Context;
use super::decide::{Deciding, person};
use super::error::CommandError;
use crate::model::name::Login;
use crate::safe::shown::visible;
use crate::session::decide::{Action, Assign, Role};

/// Assign owners and reviewers of repositories, commander and second approver of the session
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Repositories
    #[arg(value_name = "REPO")]
    pub repos: Vec<String>,
    /// Who owns them; `-` for nobody any more
    #[arg(long, value_name = "PERSON", allow_hyphen_values = true)]
    pub owner: Option<String>,
    /// Who reviews their changes: somebody else than the owner
    #[arg(long, value_name = "PERSON", allow_hyphen_values = true)]
    pub reviewer: Option<String>,
    /// Who leads the session
    #[arg(long, value_name = "PERSON", allow_hyphen_values = true)]
    pub commander: Option<String>,
    /// Who approves steps that cannot be undone, beside the commander
    #[arg(long, value_name = "PERSON", allow_hyphen_values = true)]
    pub second_approver: Option<String>,
}

/// Assigns.
///
/// # Errors
/// Nobody is named, a name means nothing, or it is refused.
pub fn run(options: &Options, context: &mut Context) -> Result<Exit, CommandError> {
    let of_repo = [
        (Role::Owner, &options.owner),
        (Role::Reviewer, &options.reviewer),
    ];
    let of_session = [
        (Role::Commander, &options.commander),
        (Role::SecondApprover, &options.second_approver),
    ];
    let given = |roles: &[(Role, &Option<String>)]| roles.iter().any(|(_, name)| name.is_some());
    if !given(&of_repo) && !given(&of_session) {
        return Err(CommandError::usage("nobody is named")
            .hint("add --owner, --reviewer, --commander or --second-approver PERSON"));
    }
    if given(&of_repo) && options.repos.is_empty() {
        return Err(CommandError::usage("no repository is named")
            .hint("for example `cutover assign acme/ui --owner rosa`"));
    }
    for (_, name) in of_repo.iter().chain(&of_session) {
        if let Some(name) = name.as_deref().filter(|name| *name != "-")
            && let Err(error) = Login::parse(name.trim_start_matches('@'))
        {
            return Err(CommandError::usage(format!(
                "`{}` is {error}",
                visible(name)
            )));
        }
    }
    let deciding = Deciding::open(context)?;
    let about = deciding.find_all(&options.repos)?;
    let actions: Vec<Action> = of_repo
        .into_iter()
        .chain(of_session)
        .filter_map(|(role, name)| {
            let about = match role {
                Role::Owner | Role::Reviewer => about.clone(),
                Role::Commander | Role::SecondApprover => Vec::new(),
            };
            let person = person(name.as_deref()?);
            Some(
                Assign {
                    about,
                    role,
                    person,
                }
                .into(),
            )
        })
        .collect();
    deciding.take(&actions, context)
}
