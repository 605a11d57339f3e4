//! A tree of spots as a sheet: which shapes count as a list of records.
//!
//! Must not look into a value: that is for whoever knows the columns.

use super::tree::{Node, Spot};
use super::{Builder, Cell, Format, Record, Sheet, said};
use crate::intake::IntakeError;

/// Makes a sheet of a tree: a list of records, a map that holds one such list, a map from repository to record, or one record.
pub(super) fn flatten(format: Format, root: &Spot) -> Result<Sheet, IntakeError> {
    let mut builder = Builder::default();
    match &root.node {
        Node::List(items) => {
            for item in items {
                push_record(&mut builder, item, None)?;
            }
        }
        Node::Map(entries) => match only_list(entries) {
            Some(items) => {
                for item in items {
                    push_record(&mut builder, item, None)?;
                }
            }
            None if !entries.is_empty() && entries.iter().all(|(_, v)| is_map(v)) => {
                push_named(&mut builder, entries)?;
            }
            None => push_record(&mut builder, root, None)?,
        },
        Node::Null => {}
        Node::Scalar(_) => {
            return Err(IntakeError::Shape {
                message: format!(
                    "line {}: the {format} holds a single value; write a list of records, one per repository",
                    root.line
                ),
            });
        }
    }
    builder.finish(format)
}

/// `{repos: [{…}, {…}]}`: the one list of records, whatever else (a version, a title) stands beside it.
fn only_list(entries: &[(String, Spot)]) -> Option<&[Spot]> {
    let mut lists = entries.iter().filter_map(|(_, spot)| match &spot.node {
        Node::List(items) if items.iter().any(is_map) => Some(items.as_slice()),
        _ => None,
    });
    let first = lists.next()?;
    lists.next().is_none().then_some(first)
}

/// `{"acme/ui": {…}, "acme/cli": {…}}`, also one level down (`[repos."acme/ui"]`).
fn push_named(builder: &mut Builder, entries: &[(String, Spot)]) -> Result<(), IntakeError> {
    if let [
        (
            _,
            Spot {
                node: Node::Map(inner),
                ..
            },
        ),
    ] = entries
        && !inner.is_empty()
        && inner.iter().all(|(_, v)| is_map(v))
    {
        return push_named(builder, inner);
    }
    for (name, spot) in entries {
        push_record(builder, spot, Some(name))?;
    }
    Ok(())
}

fn is_map(spot: &Spot) -> bool {
    matches!(spot.node, Node::Map(_))
}

fn push_record(builder: &mut Builder, spot: &Spot, name: Option<&str>) -> Result<(), IntakeError> {
    let Node::Map(entries) = &spot.node else {
        if matches!(spot.node, Node::Null) {
            return Ok(());
        }
        return Err(IntakeError::Shape {
            message: format!(
                "line {}: a value where a record was expected; write one record per repository",
                spot.line
            ),
        });
    };
    let mut cells = Vec::new();
    if let Some(name) = name
        && !entries.iter().any(|(key, _)| key == "repo")
    {
        cells.push(builder.cell("repo", spot.line, vec![name.to_owned()])?);
    }
    push_cells(builder, &mut cells, "", entries)?;
    // The line of a TOML table is that of its name's first use; its first cell is nearer.
    let line = cells
        .iter()
        .map(|c| c.line)
        .min()
        .map_or(spot.line, |first| first.max(spot.line));
    builder.records.push(Record { line, cells });
    Ok(())
}

fn push_cells(
    builder: &mut Builder,
    cells: &mut Vec<Cell>,
    prefix: &str,
    entries: &[(String, Spot)],
) -> Result<(), IntakeError> {
    for (key, spot) in entries {
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match &spot.node {
            Node::Map(inner) => push_cells(builder, cells, &name, inner)?,
            Node::Null => {
                builder.column(&name)?;
            }
            Node::Scalar(value) => {
                let cell = builder.cell(&name, spot.line, vec![value.clone()])?;
                cells.push(cell);
            }
            Node::List(items) => {
                let values = list_values(&name, items)?;
                let cell = builder.cell(&name, spot.line, values)?;
                cells.push(cell);
            }
        }
    }
    Ok(())
}

fn list_values(name: &str, items: &[Spot]) -> Result<Vec<String>, IntakeError> {
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        match &item.node {
            Node::Scalar(value) => values.push(value.clone()),
            Node::Null => {}
            Node::List(_) | Node::Map(_) => {
                return Err(IntakeError::Shape {
                    message: format!(
                        "line {}: a list inside `{}`; a cell holds plain values only",
                        item.line,
                        said(name)
                    ),
                });
            }
        }
    }
    Ok(values)
}
