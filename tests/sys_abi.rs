//! The raw layer agrees with the ABI table, and leaves nothing of it out.
//!
//! The table describes the 32-bit target; what it says of layouts is asserted when the crate is
//! built for one (`src/sys/layout.rs`). Here it is shown that every line of the table is asserted.

use std::collections::BTreeSet;

use serde_json::Value;

const TABLE: &str = include_str!("fixtures/microvisor-0.7.0.json");
const BINDINGS: &str = include_str!("../src/sys/bindings.rs");
const LAYOUT: &str = include_str!("../src/sys/layout.rs");
const ENTRIES: &str = include_str!("../src/sys/microvisor.x");

/// In the table, but not for applications.
const LEFT_OUT: &str = "mvTemporaryStructTest";

fn table() -> Value {
    serde_json::from_str(TABLE).expect("the table is JSON")
}

fn object<'v>(table: &'v Value, name: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    table[name].as_object().expect("an object").iter()
}

fn functions(table: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object(table, "functions").filter(|(name, _)| *name != LEFT_OUT)
}

/// The assertion block of `macro!(name, …)` in `layout.rs`, one trimmed line each.
fn assertions(kind: &str, name: &str) -> (String, BTreeSet<String>) {
    let start = LAYOUT.find(&format!("{kind}!({name}, ")).unwrap_or_else(|| panic!("{name} is not asserted"));
    let block = &LAYOUT[start..];
    let block = &block[..block.find("});").expect("the end of the block")];
    let mut lines = block.lines();
    let head = lines.next().expect("a first line").to_owned();
    (head, lines.map(|line| line.trim().trim_end_matches(',').to_owned()).collect())
}

/// Every field of a structure as `path @ offset`, with bindgen's name for what has none.
fn fields(fields: &Value, path: &str, out: &mut BTreeSet<String>) {
    for field in fields.as_array().expect("a list of fields") {
        let name = field["name"].as_str().expect("a name");
        let path = match (path, name) {
            ("", "") => "__bindgen_anon_1".to_owned(),
            ("", name) => name.to_owned(),
            (path, name) => format!("{path}.{name}"),
        };
        if !name.is_empty() {
            out.insert(format!("{path} @ {}", field["offset"]));
        }
        if field.get("fields").is_some() {
            self::fields(&field["fields"], &path, out);
        }
    }
}

#[test]
fn the_table_has_71_calls_22_enums_and_35_structures() {
    let table = table();
    assert_eq!(functions(&table).count(), 71);
    assert_eq!(object(&table, "enums").count(), 22);
    assert_eq!(object(&table, "structs").count(), 35);
}

#[test]
fn size_alignment_and_every_offset_of_every_structure_are_asserted_for_32_bit_targets() {
    for (name, structure) in object(&table(), "structs") {
        let (head, asserted) = assertions("layout", name);
        let expected =
            format!("layout!({name}, size {}, align {}, {{", structure["size"], structure["align"]);
        assert_eq!(head, expected);
        let mut expected = BTreeSet::new();
        fields(&structure["fields"], "", &mut expected);
        assert_eq!(asserted, expected, "{name}");
    }
}

#[test]
fn the_width_and_every_value_of_every_enum_are_asserted_for_32_bit_targets() {
    for (name, enumeration) in object(&table(), "enums") {
        let (head, asserted) = assertions("values", name);
        assert_eq!(head, format!("values!({name}, size {}, {{", enumeration["size"]));
        let values = enumeration["values"].as_object().expect("values");
        let expected = values.iter().map(|(constant, value)| format!("{constant} = {value}")).collect();
        assert_eq!(asserted, expected, "{name}");
    }
}

#[test]
fn enums_are_integers_of_the_abis_width_with_the_tables_constants() {
    for (name, enumeration) in object(&table(), "enums") {
        let integer = match enumeration["size"].as_u64() {
            Some(1) => "cty::c_uchar",
            Some(4) => "cty::c_uint",
            other => panic!("{name} is {other:?} bytes wide"),
        };
        assert!(BINDINGS.contains(&format!("pub type {name} = {integer};")), "{name} is no {integer}");
        for (constant, value) in enumeration["values"].as_object().expect("values") {
            let line = format!("pub const {constant}: {name} = {value};");
            assert!(BINDINGS.contains(&line), "`{line}` is missing");
        }
    }
    assert!(!BINDINGS.contains("pub enum"), "an enum that the kernel can write is undefined behaviour");
}

#[test]
fn every_call_has_the_tables_parameters_and_returns_a_status() {
    let table = table();
    let flat: String = BINDINGS.split_whitespace().collect::<Vec<_>>().join(" ");
    for (name, function) in functions(&table) {
        let parameters: Vec<_> = function["params"]
            .as_array()
            .expect("parameters")
            .iter()
            .map(|parameter| {
                let name = match parameter["name"].as_str().expect("a name") {
                    "type" => "type_", // A keyword.
                    name => name,
                };
                format!("{name}: {}", rust_type(parameter["type"].as_str().expect("a type")))
            })
            .collect();
        let one_line = format!("pub fn {name}({}) -> MvStatus;", parameters.join(", "));
        let wrapped = format!("pub fn {name}( {}, ) -> MvStatus;", parameters.join(", "));
        assert!(flat.contains(&one_line) || flat.contains(&wrapped), "`{one_line}` is missing");
    }
    assert_eq!(
        flat.matches("pub fn ").count(),
        functions(&table).count(),
        "a call that the table does not have"
    );
}

/// A C type of the table as bindgen writes it.
fn rust_type(c: &str) -> String {
    if let Some(pointee) = c.strip_suffix('*') {
        let pointee = pointee.trim();
        return match pointee.strip_prefix("const ") {
            Some(pointee) => format!("*const {}", rust_type(pointee)),
            None => format!("*mut {}", rust_type(pointee)),
        };
    }
    match c {
        "uint8_t" => "u8".into(),
        "uint16_t" => "u16".into(),
        "uint32_t" => "u32".into(),
        "uint64_t" => "u64".into(),
        other => other.trim_start_matches("struct ").trim_start_matches("enum ").into(),
    }
}

#[test]
fn the_linker_script_provides_every_entry_at_the_tables_address() {
    let table = table();
    for (name, function) in functions(&table) {
        let address = function["address"].as_str().expect("an address");
        let line = format!("PROVIDE({name} = {address});");
        assert!(ENTRIES.contains(&line), "`{line}` is missing");
    }
    assert_eq!(ENTRIES.matches("PROVIDE(").count(), functions(&table).count());
}

/// Generated at build time by feature `bindgen`, from the project's header unless `MICROVISOR_SDK`
/// says otherwise. To renew the committed bindings: `MICROVISOR_BLESS=1 cargo test --features
/// bindgen --test sys_abi`.
#[cfg(feature = "bindgen")]
#[test]
fn committed_and_freshly_generated_bindings_agree() {
    let fresh = include_str!(concat!(env!("OUT_DIR"), "/bindings.rs"));
    if std::env::var_os("MICROVISOR_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sys/bindings.rs");
        std::fs::write(path, fresh).expect("the bindings can be written");
        return;
    }
    assert!(fresh == BINDINGS, "src/sys/bindings.rs is not what bindgen makes of the header; see this test");
}
