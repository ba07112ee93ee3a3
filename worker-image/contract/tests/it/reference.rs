//! Writes docs/reference/protocol.md from the descriptors of the proto files.

use std::collections::HashMap;
use std::fmt::Write as _;

use expect_test::expect_file;
use protox::prost_reflect::prost_types::field_descriptor_proto::{Label, Type};
use protox::prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    ServiceDescriptorProto,
};

use crate::descriptors;

const HEADER: &str = "\
# Protocol

<!-- Generated from worker-image/contract/proto. `UPDATE_EXPECT=1 cargo test --release -p shoprl-contract` rewrites it. -->

The gRPC services of the package `shoprl.v1`, with their messages. A field or a value without a description means what its
name says. Field numbers and names never change; new fields get new numbers.
";

#[test]
fn the_committed_reference_equals_the_proto_files() {
    let mut text = HEADER.to_owned();
    for file in &descriptors().file {
        text += &Page::of(file).text();
    }
    expect_file!["../../../../docs/reference/protocol.md"].assert_eq(&text);
}

// Numbers of fields in descriptor.proto, as paths in SourceCodeInfo name them.
const FILE_MESSAGES: i32 = 4;
const FILE_ENUMS: i32 = 5;
const FILE_SERVICES: i32 = 6;
const FILE_SYNTAX: i32 = 12;
const MEMBERS: i32 = 2;

/// One proto file with its comments by path.
struct Page<'a> {
    file: &'a FileDescriptorProto,
    comments: HashMap<&'a [i32], &'a str>,
}

impl<'a> Page<'a> {
    fn of(file: &'a FileDescriptorProto) -> Self {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        let comments = locations
            .filter_map(|location| Some((&*location.path, location.leading_comments.as_deref()?)));
        Self { file, comments: comments.collect() }
    }

    fn text(&self) -> String {
        let mut text = format!("\n## {}\n\n{}", self.file.name(), self.paragraphs(&[FILE_SYNTAX]));
        for (index, service) in (0..).zip(&self.file.service) {
            text += &self.service(service, &[FILE_SERVICES, index]);
        }
        for (index, message) in (0..).zip(&self.file.message_type) {
            text += &self.message(message, &[FILE_MESSAGES, index]);
        }
        for (index, values) in (0..).zip(&self.file.enum_type) {
            text += &self.values(values, &[FILE_ENUMS, index]);
        }
        text
    }

    fn service(&self, service: &ServiceDescriptorProto, path: &[i32; 2]) -> String {
        let mut table = Table::new(["call", "request", "answer", "description"]);
        for (index, call) in (0..).zip(&service.method) {
            let stream = if call.server_streaming() { "stream of " } else { "" };
            let answer = format!("{stream}{}", link("message", call.output_type()));
            let description = self.line(&[path[0], path[1], MEMBERS, index]);
            table.row([code(call.name()), link("message", call.input_type()), answer, description]);
        }
        self.section("service", service.name(), path, &table)
    }

    fn message(&self, message: &DescriptorProto, path: &[i32; 2]) -> String {
        let mut table = Table::new(["number", "field", "type", "description"]);
        for (index, field) in (0..).zip(&message.field) {
            let description = self.line(&[path[0], path[1], MEMBERS, index]);
            let number = field.number().to_string();
            table.row([number, code(field.name()), kind(field, message), description]);
        }
        self.section("message", message.name(), path, &table)
    }

    fn values(&self, values: &EnumDescriptorProto, path: &[i32; 2]) -> String {
        let mut table = Table::new(["number", "value", "description"]);
        for (index, value) in (0..).zip(&values.value) {
            let description = self.line(&[path[0], path[1], MEMBERS, index]);
            table.row([value.number().to_string(), code(value.name()), description]);
        }
        self.section("enum", values.name(), path, &table)
    }

    fn section<const N: usize>(
        &self,
        kind: &str,
        name: &str,
        path: &[i32],
        table: &Table<N>,
    ) -> String {
        let parts = [format!("### {kind} {name}\n"), self.paragraphs(path), table.text()];
        parts
            .iter()
            .filter(|part| !part.is_empty())
            .fold(String::new(), |text, part| format!("{text}\n{part}"))
    }

    /// The comment at a path with its lines.
    fn paragraphs(&self, path: &[i32]) -> String {
        let comment = self.comments.get(path).copied().unwrap_or_default();
        let lines = comment.lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end());
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// The comment at a path as one line.
    fn line(&self, path: &[i32]) -> String {
        self.paragraphs(path).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// A Markdown table.
struct Table<const N: usize> {
    head: [&'static str; N],
    rows: String,
}

impl<const N: usize> Table<N> {
    fn new(head: [&'static str; N]) -> Self {
        Self { head, rows: String::new() }
    }

    fn row(&mut self, cells: [String; N]) {
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        writeln!(self.rows, "| {} |", cells.join(" | ").trim_end()).expect("a String takes it");
    }

    /// A message without fields has no table.
    fn text(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        format!("| {} |\n|{}\n{}", self.head.join(" | "), "---|".repeat(N), self.rows)
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// The name of a message or an enum of the package, with a link to its section.
fn link(section: &str, full_name: &str) -> String {
    let name = full_name.rsplit('.').next().unwrap_or_default();
    format!("[{name}](#{section}-{})", name.to_lowercase())
}

fn kind(field: &FieldDescriptorProto, message: &DescriptorProto) -> String {
    if let Some(entry) = entry(field, message) {
        let parts: Vec<String> = entry.field.iter().map(scalar).collect();
        return format!("map of {}", parts.join(" to "));
    }
    let name = scalar(field);
    let choice = field.oneof_index.filter(|_| !field.proto3_optional());
    let choice = choice
        .and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?))
        .map(|choice| format!(", one of `{}`", choice.name()));
    match field.label() {
        Label::Repeated => format!("repeated {name}"),
        _ if field.proto3_optional() => format!("optional {name}"),
        _ => format!("{name}{}", choice.unwrap_or_default()),
    }
}

/// The generated message of a map's entries.
fn entry<'a>(
    field: &FieldDescriptorProto,
    message: &'a DescriptorProto,
) -> Option<&'a DescriptorProto> {
    let name = field.type_name().rsplit('.').next()?;
    message.nested_type.iter().find(|nested| nested.name() == name)
}

fn scalar(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message => link("message", field.type_name()),
        Type::Enum => link("enum", field.type_name()),
        other => other.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}
