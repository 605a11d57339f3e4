//! Where a registry is: an origin and the path below which everything of it stands.

use url::Url;

use crate::http::{Origin, OriginError, World};

/// A registry's address. Its paths are relative to it, as some registries stand below a path of a larger host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    origin: Origin,
    /// Without a final slash; empty at the root.
    prefix: Box<str>,
    id: Box<str>,
}

impl Base {
    /// Reads a registry's address, such as `https://host/` or `https://host/npm/group/`.
    ///
    /// # Errors
    /// When it is no address or of a host that `world` does not allow.
    pub fn parse(text: &str, world: World) -> Result<Self, OriginError> {
        let origin = Origin::parse(text, world)?;
        // The origin is of the same text, so it parses again.
        let path =
            Url::parse(text.trim()).map_or_else(|_| String::new(), |url| url.path().to_owned());
        let prefix: Box<str> = path.trim_end_matches('/').into();
        let id = format!("{origin}{prefix}").into();
        Ok(Self { origin, prefix, id })
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Gives the path below which the registry stands; empty at the root of its host.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Gives the address without the final slash.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Gives the full path of something of the registry; `rest` begins with a slash.
    pub(super) fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.prefix)
    }
}

/// Writes a package name as one segment of a path, as npm does: the scope's slash as `%2f`.
pub(super) fn package_segment(name: &str) -> String {
    segment(name).replace("%2F", "%2f")
}

/// Writes any text as one segment of a path or one value of a query.
pub(super) fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~@!'()*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_registry_may_stand_below_a_path() {
        let base = |text| Base::parse(text, World::Real).unwrap();
        assert_eq!(base("https://Host.example/").id(), "https://host.example");
        let below = base("https://host.example/npm/group/");
        assert_eq!(below.path("/-/whoami"), "/npm/group/-/whoami");
        assert_eq!(below.id(), "https://host.example/npm/group");
    }

    #[test]
    fn names_stay_one_segment() {
        assert_eq!(package_segment("@acme/ui"), "@acme%2fui");
        assert_eq!(package_segment("a/../b?c#d e"), "a%2f..%2fb%3Fc%23d%20e");
    }
}
