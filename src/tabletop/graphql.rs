//! The simulated GraphQL endpoint: reads a query, counts what it costs, and answers the fields that are asked for.
//!
//! A field that GitHub does not have is refused in GitHub's words, and so is a connection without `first`. Cost as GitHub
//! counts it: the requests that the connections would need, divided by 100, at least 1
//! (<https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>).

use serde_json::{Map, Value, json};

use super::clock::{HOUR, iso};
use super::github::{Context, PRIMARY, message};
use super::server::Answer;

mod fields;
mod parse;

use fields::{Asked, Node, Out};
use parse::{Document, Field, Selection};

/// More nodes than this are refused before anything is read.
const NODE_LIMIT: u64 = 500_000;

/// An error of the list in an answer.
#[derive(Debug, Clone)]
struct Fault {
    value: Value,
    /// The query itself is wrong: there is no data at all.
    whole: bool,
}

/// Answers `POST /graphql`.
pub fn answer(context: &mut Context<'_>) -> Answer {
    if context.request.method != "POST" {
        return message(404, "Not Found");
    }
    let asked = context.request.json();
    let Some(text) = asked.get("query").and_then(Value::as_str) else {
        return message(
            400,
            "A query attribute must be specified and must be a string.",
        );
    };
    let variables = asked.get("variables").cloned().unwrap_or_default();
    let wanted = asked.get("operationName").and_then(Value::as_str);
    let document = match parse::document(text) {
        Ok(document) => document,
        Err(words) => return refused(json!([{ "message": words }])),
    };
    let Some(operation) = document.operation(wanted) else {
        return refused(json!([{ "message": "No operation with that name" }]));
    };
    if operation.kind != "query" {
        return refused(json!([{ "message": "This world takes no mutations over GraphQL" }]));
    }
    let variables = operation.with_defaults(&variables);
    let mut tally = Tally::default();
    tally.walk(&document, &variables, &operation.selections, 1);
    if tally.nodes > NODE_LIMIT {
        let words = format!(
            "This query requests up to {} possible nodes which exceeds the maximum limit of {NODE_LIMIT}.",
            tally.nodes
        );
        return refused(json!([{ "type": "MAX_NODE_LIMIT_EXCEEDED", "message": words }]));
    }
    let cost = tally.cost();
    let now = context.now();
    let used = context
        .hall
        .limits
        .used(&context.token.login, "graphql", now);
    used.points += cost;
    let used = *used;
    context.hall.counters.points += cost;
    let rate = json!({
        "cost": cost,
        "limit": PRIMARY,
        "used": used.points,
        "remaining": PRIMARY.saturating_sub(used.points),
        "resetAt": iso(used.since + HOUR),
        "nodeCount": tally.nodes,
    });
    let mut run = Execution {
        context,
        document: &document,
        variables: &variables,
        rate,
        faults: Vec::new(),
    };
    let data = run.object(&Node::Query, &operation.selections, &mut Vec::new());
    let faults = run.faults;
    if faults.iter().any(|fault| fault.whole) {
        let whole = faults.into_iter().filter(|fault| fault.whole);
        return refused(Value::Array(whole.map(|fault| fault.value).collect()));
    }
    let mut body = json!({ "data": data });
    if let (Some(map), false) = (body.as_object_mut(), faults.is_empty()) {
        map.insert(
            "errors".to_owned(),
            Value::Array(faults.into_iter().map(|fault| fault.value).collect()),
        );
    }
    Answer::json(200, &body)
}

fn refused(errors: Value) -> Answer {
    Answer::json(200, &json!({ "errors": errors }))
}

/// Counts what a query would cost.
#[derive(Debug, Default)]
struct Tally {
    requests: u64,
    nodes: u64,
}

impl Tally {
    fn cost(&self) -> u64 {
        ((self.requests + 50) / 100).max(1)
    }

    fn walk(
        &mut self,
        document: &Document,
        variables: &Value,
        selections: &[Selection],
        times: u64,
    ) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let args = field.args(variables);
                    let pages = ["first", "last"]
                        .iter()
                        .find_map(|name| args.get(*name))
                        .and_then(Value::as_u64);
                    let ids = args
                        .get("ids")
                        .and_then(Value::as_array)
                        .map(|all| all.len() as u64);
                    let mut below = times;
                    if let Some(first) = pages {
                        self.requests += times;
                        below = times.saturating_mul(first);
                        self.nodes = self.nodes.saturating_add(below);
                    } else if let Some(ids) = ids {
                        below = times.saturating_mul(ids);
                        self.nodes = self.nodes.saturating_add(below);
                    }
                    self.walk(document, variables, &field.selections, below);
                }
                Selection::Inline { selections, .. } => {
                    self.walk(document, variables, selections, times)
                }
                Selection::Spread(name) => {
                    if let Some(fragment) = document.fragment(name) {
                        self.walk(document, variables, &fragment.selections, times);
                    }
                }
            }
        }
    }
}

struct Execution<'a, 'b> {
    context: &'a Context<'b>,
    document: &'a Document,
    variables: &'a Value,
    rate: Value,
    faults: Vec<Fault>,
}

impl Execution<'_, '_> {
    /// Answers the fields that are asked for of one object.
    fn object(&mut self, node: &Node, selections: &[Selection], path: &mut Vec<Value>) -> Value {
        let mut map = Map::new();
        self.gather(node, selections, path, &mut map);
        Value::Object(map)
    }

    fn gather(
        &mut self,
        node: &Node,
        selections: &[Selection],
        path: &mut Vec<Value>,
        map: &mut Map<String, Value>,
    ) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let key = field.alias.as_deref().unwrap_or(&field.name).to_owned();
                    path.push(json!(key));
                    let value = self.field(node, field, path);
                    path.pop();
                    merge(map, key, value);
                }
                Selection::Inline { on, selections } => {
                    if on.as_deref().is_none_or(|on| node.is(on)) {
                        self.gather(node, selections, path, map);
                    }
                }
                Selection::Spread(name) => {
                    let document = self.document;
                    match document.fragment(name) {
                        Some(fragment) if fragment.on.as_deref().is_none_or(|on| node.is(on)) => {
                            self.gather(node, &fragment.selections, path, map);
                        }
                        Some(_) => {}
                        None => self.wrong(json!({ "message": format!("Fragment {name} was used, but not defined") })),
                    }
                }
            }
        }
    }

    fn wrong(&mut self, value: Value) {
        self.faults.push(Fault { value, whole: true });
    }

    fn field(&mut self, node: &Node, field: &Field, path: &mut Vec<Value>) -> Value {
        if field.name == "__typename" {
            return json!(node.kind());
        }
        if matches!((node, field.name.as_str()), (Node::Query, "rateLimit")) {
            let rate = Node::Json("RateLimit", self.rate.clone());
            return self.object(&rate, &field.selections, path);
        }
        let asked = Asked {
            name: &field.name,
            args: field.args(self.variables),
        };
        match node.field(self.context, &asked) {
            Out::Leaf(value) => {
                if !field.selections.is_empty() && !value.is_null() {
                    let words = format!(
                        "Selections can't be made on scalars (field '{}')",
                        field.name
                    );
                    self.wrong(json!({ "message": words, "path": ["query"] }));
                }
                value
            }
            Out::Node(next) => self.below(&next, field, path),
            Out::List(all) => {
                let mut values = Vec::with_capacity(all.len());
                for (number, one) in all.iter().enumerate() {
                    path.push(json!(number));
                    let value = match one {
                        Some(next) => self.below(next, field, path),
                        None => Value::Null,
                    };
                    values.push(value);
                    path.pop();
                }
                Value::Array(values)
            }
            Out::Missing(words) => {
                self.faults.push(Fault {
                    value: json!({ "type": "NOT_FOUND", "path": path, "message": words }),
                    whole: false,
                });
                Value::Null
            }
            Out::MissingSome(all, missing) => {
                for words in missing {
                    let value = json!({ "type": "NOT_FOUND", "path": path, "message": words });
                    self.faults.push(Fault {
                        value,
                        whole: false,
                    });
                }
                self.list(&all, field, path)
            }
            Out::Forbidden => {
                let words = "Resource not accessible by personal access token";
                let value = json!({ "type": "FORBIDDEN", "path": path, "message": words });
                self.faults.push(Fault {
                    value,
                    whole: false,
                });
                Value::Null
            }
            Out::Undefined => {
                let words = format!(
                    "Field '{}' doesn't exist on type '{}'",
                    field.name,
                    node.kind()
                );
                self.wrong(json!({
                    "path": path,
                    "extensions": { "code": "undefinedField", "typeName": node.kind(), "fieldName": field.name },
                    "message": words,
                }));
                Value::Null
            }
            Out::Invalid(kind, words) => {
                self.wrong(json!({ "type": kind, "path": path, "message": words }));
                Value::Null
            }
        }
    }

    fn list(&mut self, all: &[Option<Node>], field: &Field, path: &mut Vec<Value>) -> Value {
        let mut values = Vec::with_capacity(all.len());
        for (number, one) in all.iter().enumerate() {
            path.push(json!(number));
            values.push(
                one.as_ref()
                    .map_or(Value::Null, |next| self.below(next, field, path)),
            );
            path.pop();
        }
        Value::Array(values)
    }

    fn below(&mut self, next: &Node, field: &Field, path: &mut Vec<Value>) -> Value {
        if field.selections.is_empty() {
            let words = format!(
                "Field must have selections (field '{}' returns {})",
                field.name,
                next.kind()
            );
            self.wrong(json!({ "path": path, "message": words }));
            return Value::Null;
        }
        self.object(next, &field.selections, path)
    }
}

/// The same key asked for twice is answered once, with the fields of both.
fn merge(map: &mut Map<String, Value>, key: String, value: Value) {
    match (map.get_mut(&key), value) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            for (key, value) in new {
                merge(old, key, value);
            }
        }
        (Some(Value::Array(old)), Value::Array(new)) => {
            for (old, new) in old.iter_mut().zip(new) {
                if let (Value::Object(old), Value::Object(new)) = (old, new) {
                    for (key, value) in new {
                        merge(old, key, value);
                    }
                }
            }
        }
        (_, value) => {
            map.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn cost_is_counted_as_github_explains_it() {
        // The example of GitHub's page: 100 repositories with 50 issues with 60 labels each are 5,101 requests, 51 points.
        let text = "query { viewer { repositories(first: 100) { edges { node { issues(first: 50) { edges { node {
            labels(first: 60) { edges { node { name } } } } } } } } } } }";
        let document = parse::document(text).unwrap();
        let mut tally = Tally::default();
        let operation = document.operation(None).unwrap();
        tally.walk(&document, &Value::Null, &operation.selections, 1);
        assert_eq!(tally.requests, 5_101);
        assert_eq!(tally.cost(), 51);
    }

    #[test]
    fn ids_multiply_what_is_below_them() {
        let text = "query($ids:[ID!]!){nodes(ids:$ids){... on Workflow{runs(first:5){nodes{id}}}}}";
        let document = parse::document(text).unwrap();
        let ids: Vec<String> = (0..100).map(|one| one.to_string()).collect();
        let mut tally = Tally::default();
        let operation = document.operation(None).unwrap();
        tally.walk(&document, &json!({ "ids": ids }), &operation.selections, 1);
        assert_eq!((tally.requests, tally.nodes, tally.cost()), (100, 600, 1));
    }
}
