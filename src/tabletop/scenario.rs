//! Scenarios as data: what goes wrong in an exercise, and when. `assets/tabletop/scenarios.toml` has them.
//! Must change the world only through what its inhabitants could do.

use std::sync::Arc;

use super::world::World;

/// An exercise.
#[derive(Debug, Clone, Default)]
pub struct Scenario {
    pub name: String,
}

/// Finds a scenario.
pub fn find(name: &str) -> Option<Arc<Scenario>> {
    let _ = name;
    None
}

/// Gives the names of all scenarios.
pub fn names() -> Vec<&'static str> {
    Vec::new()
}

impl World {
    /// Begins a scenario: notes when its steps happen.
    pub fn begin(&mut self, scene: Arc<Scenario>) {
        self.scene = Some(scene);
    }

    /// Plays one step of the running scenario.
    pub fn play(&mut self, step: usize) {
        let _ = step;
    }
}
