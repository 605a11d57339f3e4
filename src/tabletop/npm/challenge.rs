//! The second factor: a page to open, an address to poll, and five minutes in which nothing more is asked.
//! Opening the page is the approval; a person who does not come does it anyway after a while, so that an exercise
//! runs unattended.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Refusal;
use crate::tabletop::clock::{MINUTE, Ms, SECOND};
use crate::tabletop::random::Rng;
use crate::tabletop::server::{Answer, Hall, Request};

/// So long nothing more is asked after a challenge was met.
const WINDOW: Ms = 5 * MINUTE;
/// A challenge that nobody opened is met by itself after this.
const PATIENCE: Ms = 12 * SECOND;

#[derive(Debug, Clone)]
struct Challenge {
    id: String,
    login: Arc<str>,
    asked: Ms,
    met: Option<Ms>,
    password: String,
    used: bool,
}

/// What the registry keeps besides the world: challenges, open windows, claims.
#[derive(Debug, Default)]
pub struct Desk {
    /// Claims of CircleCI's configs by the config's id: they have no file that the world could know.
    pub claims: BTreeMap<String, Value>,
    challenges: Vec<Challenge>,
    windows: BTreeMap<Arc<str>, Ms>,
}

impl Desk {
    /// Tells until when an account is asked nothing.
    pub fn window(&self, login: &str) -> Option<Ms> {
        self.windows.get(login).copied()
    }
}

impl Challenge {
    fn is_met(&self, now: Ms) -> bool {
        self.met.is_some() || now >= self.asked + PATIENCE
    }
}

/// Asks an account for its second factor, unless it was met within the last five minutes.
///
/// # Errors
/// 401 with the page, or with `www-authenticate: OTP` for a caller that speaks no web login; 403 without a second factor.
pub fn require(hall: &mut Hall, request: &Request, login: &Arc<str>) -> Result<(), Refusal> {
    let now = hall.world.now;
    if hall
        .world
        .person(login)
        .is_none_or(|one| one.two_factor.is_none())
    {
        return Err(super::forbidden(
            "Two-factor authentication must be enabled on your account to do that",
        ));
    }
    if hall
        .desk
        .windows
        .get(login)
        .is_some_and(|until| now < *until)
    {
        return Ok(());
    }
    if let Some(given) = request.header("npm-otp") {
        let known = hall.desk.challenges.iter_mut().find(|one| {
            one.password == given && one.login == *login && one.is_met(now) && !one.used
        });
        if let Some(challenge) = known {
            challenge.used = true;
            hall.desk.windows.insert(Arc::clone(login), now + WINDOW);
            return Ok(());
        }
    }
    if request.header("npm-auth-type") != Some("web") || request.header("npm-command").is_none() {
        let words = "You must provide a one-time pass. Upgrade your client to npm@latest in order to use 2FA.";
        let notice = format!("Open {}/auth/login to use your security key", hall.registry);
        return Err(Answer::json(401, &json!({ "error": words }))
            .with("www-authenticate", "OTP")
            .with("npm-notice", notice));
    }
    let number = hall.desk.challenges.len() as u64;
    let mut rng = Rng::of(hall.world.seed, login, 900 + number);
    let id = rng.uuid();
    let password: String = (0..16)
        .map(|_| char::from(b'0' + rng.below(10) as u8))
        .collect();
    let answer = json!({
        "authUrl": format!("{}/auth/cli/{id}", hall.registry),
        "doneUrl": format!("{}/-/v1/done?authId={id}", hall.registry),
    });
    hall.desk.challenges.push(Challenge {
        id,
        login: Arc::clone(login),
        asked: now,
        met: None,
        password,
        used: false,
    });
    Err(Answer::json(401, &answer).with("www-authenticate", "OTP"))
}

/// `GET /-/v1/done?authId=…`: whether the page was met, and the one-time password if so.
pub fn done(hall: &Hall, request: &Request) -> Answer {
    let id = request.query("authId").unwrap_or_default();
    let Some(challenge) = hall.desk.challenges.iter().find(|one| one.id == id) else {
        return super::not_found();
    };
    if challenge.is_met(hall.world.now) {
        Answer::json(200, &json!({ "token": challenge.password }))
    } else {
        Answer::json(202, &json!({})).with("retry-after", "1")
    }
}

/// `GET /auth/cli/…`: the page that a browser opens. In this world opening it is the approval.
pub fn page(hall: &mut Hall, id: &str) -> Answer {
    let now = hall.world.now;
    match hall.desk.challenges.iter_mut().find(|one| one.id == id) {
        Some(challenge) => {
            challenge.met.get_or_insert(now);
            Answer::html(
                200,
                "<!doctype html><title>TABLETOP</title><h1>TABLETOP</h1><p>Your second factor is taken as given, and for five \
                 minutes you are asked nothing more. Nothing of this is real. You can close this page.",
            )
        }
        None => Answer::html(
            404,
            "<!doctype html><title>TABLETOP</title><p>There is no such request.",
        ),
    }
}
