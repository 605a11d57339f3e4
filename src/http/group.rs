//! Endpoints that fail, are limited and recover together.

/// Endpoints that fail, are limited and recover together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    NpmRead,
    NpmTokens,
    NpmTrust,
    NpmStage,
    NpmSearch,
    GithubRest,
    GithubGraphql,
    GithubActions,
    GithubLogs,
}

impl Group {
    pub const ALL: [Self; 9] = [
        Self::NpmRead,
        Self::NpmTokens,
        Self::NpmTrust,
        Self::NpmStage,
        Self::NpmSearch,
        Self::GithubRest,
        Self::GithubGraphql,
        Self::GithubActions,
        Self::GithubLogs,
    ];

    /// Gives the words on screen: the service and its part.
    pub fn word(self) -> &'static str {
        match self {
            Self::NpmRead => "npm read",
            Self::NpmTokens => "npm tokens",
            Self::NpmTrust => "npm trust",
            Self::NpmStage => "npm stage",
            Self::NpmSearch => "npm search",
            Self::GithubRest => "GitHub REST",
            Self::GithubGraphql => "GitHub GraphQL",
            Self::GithubActions => "GitHub Actions",
            Self::GithubLogs => "GitHub logs",
        }
    }
}
