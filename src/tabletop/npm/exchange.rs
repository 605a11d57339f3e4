//! What a workflow gets in exchange for its identity: a token for one package and one hour.
//!
//! Owns the matching of claims, exact and on the workflow that was started. An identity is a JWT that this world signed;
//! [`id_token`] makes one. A config that lapsed answers as if there were none.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{Refusal, no};
use crate::assets::policy;
use crate::safe::secret::Secret;
use crate::tabletop::clock::{HOUR, SECOND, iso_ms};
use crate::tabletop::random::{Rng, words};
use crate::tabletop::server::{Answer, Hall, Request};
use crate::tabletop::world::{NpmKind, NpmToken, Package, TrustConfig, World};

/// Who signs the identities of GitHub's workflows.
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Makes the identity that a workflow of this world shows, from its claims.
pub fn id_token(world: &World, claims: &Value) -> Secret {
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let text = format!("{}.{}", part(&head), part(claims));
    let signed = signature(world, &text);
    Secret::new(format!("{text}.{signed}"))
}

/// Tells this world's identities from made-up ones; no cryptography.
fn signature(world: &World, text: &str) -> String {
    let bytes: Vec<u8> = words(format!("{}.{text}", world.seed).as_bytes())
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    BASE64URL_NOPAD.encode(&bytes)
}

/// `POST /-/npm/v1/oidc/token/exchange/package/{package}`
pub fn exchange(hall: &mut Hall, request: &Request, name: &str) -> Result<Answer, Refusal> {
    let refuse = |status, why: &str| no(status, &format!("OIDC token exchange error - {why}"));
    let shown = request.bearer().unwrap_or_default();
    let claims = claims(&hall.world, shown).ok_or_else(|| refuse(401, "unauthorized"))?;
    let now = hall.world.now;
    let live = claims
        .get("exp")
        .and_then(Value::as_i64)
        .is_some_and(|exp| now < exp * SECOND);
    let word = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    if !live || word("iss") != ISSUER {
        return Err(refuse(401, "unauthorized"));
    }
    let host = url::Url::parse(&hall.registry).ok();
    let host = host
        .as_ref()
        .and_then(url::Url::host_str)
        .unwrap_or_default();
    if word("aud") != format!("npm:{host}") {
        return Err(refuse(400, "bad request"));
    }
    let config = hall
        .world
        .packages
        .get(name)
        .and_then(|package| {
            package
                .trust
                .iter()
                .find(|one| one.alive(now) && fits(one, &claims))
        })
        .map(|one| one.id.clone())
        .ok_or_else(|| refuse(404, "package not found"))?;
    let mut rng = Rng::of(
        hall.world.seed,
        name,
        700 + hall.world.npm_tokens.len() as u64,
    );
    let token = NpmToken {
        key: rng.uuid(),
        kind: NpmKind::Exchange,
        owner: Arc::from("GitHub Actions"),
        value: Secret::new(format!("npm_{}", rng.text(36))),
        name: String::new(),
        description: None,
        created: now,
        updated: now,
        expires: Some(now + HOUR),
        revoked: None,
        accessed: None,
        bypass_2fa: false,
        stage_only: false,
        write: true,
        cidr: Vec::new(),
        packages: vec![name.to_owned()],
        organisations: Vec::new(),
        config: Some(config),
    };
    let answer = json!({
        "token_type": "oidc",
        "token": token.value.expose(),
        "created": iso_ms(now),
        "expires": iso_ms(now + HOUR),
    });
    hall.world.npm_tokens.push(token);
    Ok(Answer::json(201, &answer))
}

fn claims(world: &World, token: &str) -> Option<Value> {
    let (text, signed) = token.rsplit_once('.')?;
    if signed != signature(world, text) {
        return None;
    }
    let (_, payload) = text.split_once('.')?;
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).ok()?).ok()
}

/// Matches exactly: repository, file name of the workflow that was started, environment where the config names one.
fn fits(config: &TrustConfig, claims: &Value) -> bool {
    let word = |name: &str| claims.get(name).and_then(Value::as_str);
    let file = word("workflow_ref")
        .and_then(|text| text.split('@').next())
        .and_then(|path| path.rsplit('/').next());
    let refused = word("event_name").is_some_and(|event| policy().trust.refuses(event));
    config.kind == "github"
        && word("repository") == Some(&config.repository)
        && file == Some(&config.file)
        && (config.environment.is_none() || word("environment") == config.environment.as_deref())
        && !refused
}

/// Gives the living config behind an exchanged token, for the package that the token is for.
pub fn config<'a>(package: &'a Package, token: &NpmToken, now: i64) -> Option<&'a TrustConfig> {
    let id = token.config.as_deref()?;
    let config = package.trust.iter().find(|one| one.id == id)?;
    (token.covers(&package.name) && config.alive(now)).then_some(config)
}
