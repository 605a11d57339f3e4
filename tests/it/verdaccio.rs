//! The registry client against a real registry server with packages that the real npm CLI published.
//!
//! Needs `CUTOVER_VERDACCIO=http://127.0.0.1:PORT`, `CUTOVER_VERDACCIO_TOKEN` and a package `@acme/demo` of the account
//! `alice` with the tag `next`, as `.ci/verdaccio` sets them up; without them it says so and checks nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

use std::sync::Arc;

use cutover::http::{Options, World};
use cutover::model::name::{Login as Account, PackageName};
use cutover::model::time::Ts;
use cutover::registry::{Base, Guarded, Known, Login, Packument, Registry, RegistryError};
use cutover::safe::secret::Secret;

fn registry(token: String) -> Option<Registry> {
    let address = std::env::var("CUTOVER_VERDACCIO").ok()?;
    let base = Base::parse(&address, World::Tabletop).unwrap();
    let login = Login::new(&base, "verdaccio", Secret::new(token));
    let options = Options::new(World::Tabletop, Arc::new(|| Ts(0)));
    Some(Registry::new(base, options, Some(&login)).unwrap())
}

#[tokio::test]
async fn a_real_registry_is_understood() {
    let token = std::env::var("CUTOVER_VERDACCIO_TOKEN").unwrap_or_default();
    let Some(registry) = registry(token) else {
        eprintln!("skipped: CUTOVER_VERDACCIO is not set");
        return;
    };
    let alice = Account::parse("alice").unwrap();
    assert_eq!(registry.whoami().await.unwrap(), alice);

    let name = PackageName::parse("@acme/demo").unwrap();
    let Packument::New(fact, known) = registry.packument(&name, &Known::default()).await.unwrap()
    else {
        panic!("a first look is new")
    };
    assert!(
        fact.tags.contains_key("next") && fact.tags.contains_key("latest"),
        "{:?}",
        fact.tags
    );
    // This server keeps neither publishers nor signatures: nothing may be said about how a version came.
    assert!(fact.stripped && fact.total >= 2, "{fact:?}");
    assert!(fact.versions.iter().all(|one| one.integrity.is_some()));
    assert!(fact.versions.iter().all(|one| one.how.word() == "unknown"));
    let again = registry.packument(&name, &known).await.unwrap();
    assert!(
        matches!(again, Packument::Same | Packument::New(..)),
        "{again:?}"
    );

    match registry.tokens(&alice).await {
        // It gives no total, so the list proves no absence.
        Ok(listing) => assert_eq!(listing.complete, None, "{listing:?}"),
        Err(lost) => assert_eq!(lost, RegistryError::Empty),
    }
    let absent = PackageName::parse("@acme/absent").unwrap();
    assert!(
        registry
            .packument(&absent, &Known::default())
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert!(
        registry
            .attestations(&name, "1.0.0")
            .await
            .unwrap()
            .is_empty()
    );
    // What it does not know is "could not look", not "none".
    match registry.trust(&name, None, None).await {
        Err(lost) => assert!(lost.is_not_found(), "{lost}"),
        Ok(Guarded::Done(fact)) => panic!("{fact:?}"),
        Ok(Guarded::Asked(_)) => panic!("it has no second factor"),
    }
    assert!(registry.stages(Some(&name)).await.is_err());
    // It answers a token that it does not know with 200 and nobody's name, where npm answers 401.
    let nobody = self::registry("not-a-token".to_owned()).unwrap();
    assert_eq!(nobody.whoami().await, Err(RegistryError::Nobody));
}
