//! Who may call a route. The router evaluates the guard for every request; handlers hold no role checks.

use crate::problem::{Code, Problem};
use shared_kernel::Role;

/// Who may call a route.
#[derive(Clone, Copy, Debug)]
pub enum Guard {
    /// Anyone, without a key.
    Public,
    /// Any authenticated caller. What they see depends on the record.
    Principal,
    /// Callers whose role may issue this command.
    Command(GuardedCommand),
    /// Agents, leads and admins.
    Staff,
    /// Leads and admins.
    Leads,
    /// Admins.
    Admins,
}

/// A command and the roles that may issue it.
#[derive(Clone, Copy, Debug)]
pub struct GuardedCommand {
    /// The command's name, for the error message.
    pub name: &'static str,
    /// Whether a role may ever issue it.
    pub allows: fn(Role) -> bool,
}

impl Guard {
    /// Whether no key is needed.
    pub const fn is_public(self) -> bool {
        match self {
            Self::Public => true,
            Self::Principal | Self::Command(_) | Self::Staff | Self::Leads | Self::Admins => false,
        }
    }

    /// Whether the guard lets a role pass. Every arm is spelled out: a new role or guard is refused until
    /// somebody decides about it.
    pub fn admits(self, role: Role) -> bool {
        match self {
            Self::Public | Self::Principal => true,
            Self::Command(command) => (command.allows)(role),
            Self::Staff => match role {
                Role::Agent | Role::Lead | Role::Admin | Role::System => true,
                Role::Requester => false,
            },
            Self::Leads => match role {
                Role::Lead | Role::Admin | Role::System => true,
                Role::Requester | Role::Agent => false,
            },
            Self::Admins => match role {
                Role::Admin | Role::System => true,
                Role::Requester | Role::Agent | Role::Lead => false,
            },
        }
    }

    /// The guard as an error: 403 for a role that it refuses.
    pub(crate) fn check(self, role: Role) -> Result<(), Problem> {
        if self.admits(role) {
            return Ok(());
        }
        let detail = match self {
            Self::Command(command) => format!("The role {role} may not {}; ask someone who may.", command.name),
            Self::Staff => "This is for agents, leads and admins.".to_owned(),
            Self::Leads => "This is for leads and admins.".to_owned(),
            Self::Public | Self::Principal | Self::Admins => "This is for admins.".to_owned(),
        };
        Err(Problem::new(Code::Forbidden, detail).with("rule", "forbidden"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADMIN_ONLY: GuardedCommand = GuardedCommand { name: "erase", allows: |role| matches!(role, Role::Admin) };

    fn admitted(guard: Guard) -> Vec<Role> {
        Role::ALL.iter().copied().filter(|role| guard.admits(*role)).collect()
    }

    #[test]
    fn guard_admits_only_named_roles() {
        assert_eq!(admitted(Guard::Public), Role::ALL);
        assert_eq!(admitted(Guard::Principal), Role::ALL);
        assert_eq!(admitted(Guard::Staff), [Role::Agent, Role::Lead, Role::Admin, Role::System]);
        assert_eq!(admitted(Guard::Leads), [Role::Lead, Role::Admin, Role::System]);
        assert_eq!(admitted(Guard::Admins), [Role::Admin, Role::System]);
        assert_eq!(admitted(Guard::Command(ADMIN_ONLY)), [Role::Admin]);
    }
}
